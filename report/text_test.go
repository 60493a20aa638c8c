package report

import "testing"

func TestTexts(t *testing.T) {
	for _, x := range []struct{ got, want string }{
		{whole(0), "0"}, {whole(999), "999"}, {whole(1000), "1,000"}, {whole(-1234567), "-1,234,567"},
		{percent(0), "0%"}, {percent(1), "100%"}, {percent(0.5), "50.0%"}, {percent(0.00001), "<0.01%"},
		{percent(0.99999), ">99.99%"}, {percent(0.9951), "99.51%"}, {exact(0.001), "0.1%"},
		{number(0), "0"}, {number(12345), "12.3 k"}, {number(2.5e6), "2.5 M"}, {number(3e9), "3 G"}, {number(1e20), "1e+20"},
		{number(0.123456), "0.1235"}, {number(9999), "9999"}, {weight(3), "3"}, {weight(2.5), "2.5"},
		{plural(1, "row"), "1 row"}, {plural(2, "row"), "2 rows"}, {list([]string{"a", "b", "c"}, 2), "a, b and 1 more"},
		{base("/x/y.csv"), "y.csv"}, {base(`c:\x\y.csv`), "y.csv"}, {base("dir/"), "dir/"}, {base("-"), "-"},
	} {
		if x.got != x.want {
			t.Errorf("%q, want %q", x.got, x.want)
		}
	}
}
