package mlids_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// stages lists the folders in the order of the data: a stage imports the root package and stages to its left.
var stages = []string{
	"capture", "flow", "feature", "dataset", "model", "learn", "report", "detect", "alert", "notify", "mitigate", "api",
	"client", "models", "cmd",
}

// cloud are modules that only leaf packages of notify may import, so that no other stage drags them in. One leaf stands
// elsewhere: model/sagemaker is no way out but a model that answers, and nothing but cmd may import it.
var cloud = []string{"github.com/aws/", "cloud.google.com/", "google.golang.org/api", "github.com/twmb/franz-go"}

func TestStagesImportToTheLeft(t *testing.T) {
	imports(t, func(file, stage, imported string) {
		target, ours := strings.CutPrefix(imported, "mlids/")
		if !ours {
			return
		}
		other, _, _ := strings.Cut(target, "/")
		switch {
		case other == "internal" || other == stage:
		case stage == ".":
			t.Errorf("%s: the root package imports %s; it may import no stage", file, imported)
		case rank(t, other) > rank(t, stage):
			t.Errorf("%s: %s imports %s, which stands to its right", file, stage, imported)
		}
	})
}

func TestCloudsStayInTheLeaves(t *testing.T) {
	imports(t, func(file, stage, imported string) {
		leaf := stage == "notify" && strings.Count(filepath.ToSlash(file), "/") >= 2 || strings.HasPrefix(file, "model/sagemaker/")
		if imported == "mlids/model/sagemaker" && stage != "cmd" {
			t.Errorf("%s imports %s; only cmd may: it brings the AWS SDK along", file, imported)
		}
		for _, prefix := range cloud {
			if strings.HasPrefix(imported, prefix) && !leaf {
				t.Errorf("%s imports %s; only a package below notify and model/sagemaker may", file, imported)
			}
		}
	})
}

func TestNoCatchAllPackages(t *testing.T) {
	goFiles(t, func(file string) {
		for part := range strings.SplitSeq(path.Dir(file), "/") {
			if slices.Contains([]string{"util", "utils", "common", "pkg", "helpers"}, part) {
				t.Errorf("%s: a package is named for what it holds, not %q", file, part)
			}
		}
	})
}

func rank(t *testing.T, stage string) int {
	t.Helper()
	i := slices.Index(stages, stage)
	if i < 0 {
		t.Fatalf("folder %s is no stage: add it to the list in its place", stage)
	}
	return i
}

// imports calls see with each import of each file that is no test.
func imports(t *testing.T, see func(file, stage, imported string)) {
	t.Helper()
	goFiles(t, func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		stage, _, inFolder := strings.Cut(file, "/")
		if !inFolder {
			stage = "."
		}
		if stage == "internal" || stage == "lab" {
			return
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			see(file, stage, imported)
		}
	})
}

func goFiles(t *testing.T, see func(file string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case strings.HasSuffix(p, ".go"):
			see(filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
