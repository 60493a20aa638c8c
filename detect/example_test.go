package detect_test

import (
	"fmt"
	"slices"

	"mlids"
	"mlids/detect"
	"mlids/model"
	"mlids/models"
)

// A packet without an answer is soon a flow with a verdict.
func Example() {
	builtIn, err := models.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	kdd := model.NewJudge(builtIn[slices.IndexFunc(builtIn, func(m *model.Model) bool { return m.Info().Name == "kdd99" })])
	sensor, err := detect.New(detect.Config{Models: []*model.Judge{kdd}}, func(f *detect.Finding) error {
		fmt.Printf("%s → %s: judged by %s as one of %d classes\n", f.Key.Src, f.Key.Dst, f.Verdict.Model, len(kdd.Classes()))
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	syn := mlids.Packet{
		Src: mlids.AddrFrom4([4]byte{10, 0, 0, 1}), Dst: mlids.AddrFrom4([4]byte{10, 0, 0, 2}),
		SrcPort: 40000, DstPort: 445, Proto: mlids.ProtoTCP, Flags: mlids.SYN, Header: 20,
	}
	if err := sensor.Add(&syn); err != nil {
		fmt.Println(err)
	}
	if err := sensor.Flush(); err != nil {
		fmt.Println(err)
	}
	// Output: 10.0.0.1 → 10.0.0.2: judged by kdd99 as one of 5 classes
}
