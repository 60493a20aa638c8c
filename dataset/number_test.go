package dataset_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"mlids/dataset"
	"mlids/feature"
)

func TestParseNumber(t *testing.T) {
	for text, want := range map[string]float32{
		"0": 0, "-0": 0, "-0.0": 0, "00": 0, "007": 7, "1": 1, "-1": -1, "+1": 1, " 2 ": 2, "\t3\r": 3,
		"0.5": 0.5, ".5": 0.5, "5.": 5, "5.e2": 500, "1e3": 1000, "1E+3": 1000, "1e-3": 0.001, "1.5e0": 1.5,
		"884462.1513944224": 884462.1513944224, "15936.254980079682": 15936.254980079682,
		"9007199254740993": 9007199254740992, "123456789012345678901234567890": 1.2345678901234568e29,
		"3.4028234663852886e38": math.MaxFloat32, "3.5e38": math.MaxFloat32, "-1e39": -math.MaxFloat32,
		"1e308": math.MaxFloat32, "1e400": nan, "-1e999999999999": nan, "-1e-400": 0, "1e-46": 0, "1e-45": 1e-45,
		"Infinity": nan, "inf": nan, "+Inf": nan, "-Infinity": nan, "-inf": nan,
		"true": 1, "True": 1, "FALSE": 0,
		"": nan, " ": nan, "NaN": nan, "nan": nan, "-nan": nan, "null": nan, "NA": nan, "N/A": nan, "None": nan, "<NA>": nan,
	} {
		got, ok := dataset.ParseNumber([]byte(text))
		if !ok || !same([]float32{got}, []float32{want}) || got == 0 && math.Signbit(float64(got)) {
			t.Errorf("ParseNumber(%q) = %v, %v; want %v", text, got, ok, want)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for _, text := range []string{
		"x", "1x", "x1", "1 2", "1,5", "--1", "+-1", "-+1", "-", "+", ".", "-.", "e5", "1e", "1e+", "1.5.2", "0x10", "1_000",
		"infinite", "nanx", "1e5.5", "１", "1\x00", "-true", "..", "5.e", "10:44:50",
	} {
		if v, ok := dataset.ParseNumber([]byte(text)); ok {
			t.Errorf("ParseNumber(%q) = %v; want it refused", text, v)
		}
	}
}

// Text of a float64 must give the float32 nearest to that float64, whatever its spelling.
func TestParseNumberRoundsLikeFloat64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300_000 {
		f := math.Float64frombits(r.Uint64())
		if r.IntN(2) == 0 {
			f = math.Round(r.Float64()*1e12) / math.Pow(10, float64(r.IntN(12)))
		}
		text := strconv.AppendFloat(nil, f, "gfe"[r.IntN(3)], -1, 64)
		got, ok := dataset.ParseNumber(text)
		if want := feature.Float32(f); !ok || math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("ParseNumber(%s) = %v, %v; want %v", text, got, ok, want)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.5e-3", "99999999999999999999", ".5", "5.", "inf", "1e400", "0.00000000000000000000001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := dataset.ParseNumber([]byte(s))
		if math.IsInf(float64(got), 0) {
			t.Fatalf("%q gives an infinity", s)
		}
		want, err := strconv.ParseFloat(s, 64)
		if ok && err == nil && !same([]float32{got}, []float32{feature.Float32(want)}) {
			t.Fatalf("%q gives %v; strconv has %v", s, got, want)
		}
	})
}

func BenchmarkParseNumber(b *testing.B) {
	for _, text := range []string{"0", "181", "0.00", "884462.1513944224", "15936.254980079682"} {
		b.Run(text, func(b *testing.B) {
			in := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := dataset.ParseNumber(in); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
