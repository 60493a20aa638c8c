package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// secret is the flag annotation that keeps a value out of what check prints.
const secret = "mlids-secret"

// Annotations of flags.
const (
	otherName = "mlids-env"  // further environment variables that give the flag its value, such as AWS_REGION
	takesPort = "mlids-port" // an address whose port the environment variable PORT gives, unless the command line has the address
)

// hide keeps the values of flags out of what check prints.
func hide(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		annotate(flags, name, secret, "true")
	}
}

// annotate adds to what is known of a flag.
func annotate(flags *pflag.FlagSet, name, key, value string) {
	f := flags.Lookup(name)
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[key] = append(f.Annotations[key], value)
}

// configure gives the flags of a verb that the command line leaves out their values from the environment (MLIDS_DATA_DIR
// for --data-dir), then from the configuration file.
func configure(cmd *cobra.Command, path string, env func(string) (string, bool)) error {
	var errs []error
	var ported []*pflag.Flag
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			return
		}
		if f.Annotations[takesPort] != nil {
			ported = append(ported, f)
		}
		for _, name := range append([]string{envName(f.Name)}, f.Annotations[otherName]...) {
			v, ok := env(name)
			if !ok || v == "" && name != envName(f.Name) { // ML-IDS's variables are often there and empty
				continue
			}
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				errs = append(errs, fmt.Errorf("environment %s: %w", name, err))
			}
			return
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := configureByFile(cmd, path); err != nil {
		return err
	}
	for _, f := range ported {
		if err := takePort(cmd.Flags(), f, env); err != nil {
			return err
		}
	}
	return nil
}

// takePort puts the port that platforms such as Cloud Run choose into an address.
func takePort(flags *pflag.FlagSet, f *pflag.Flag, env func(string) (string, bool)) error {
	port, ok := env("PORT")
	if !ok || port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("environment PORT: %q is no port", port)
	}
	host, _, err := net.SplitHostPort(f.Value.String())
	if err != nil {
		return fmt.Errorf("--%s: %w", f.Name, err)
	}
	return flags.Set(f.Name, net.JoinHostPort(host, port))
}

// configureByFile reads the configuration file, if there is one.
func configureByFile(cmd *cobra.Command, path string) error {
	if f := cmd.Flags().Lookup("config"); f != nil {
		path = f.Value.String()
	}
	if path == "" {
		return nil
	}
	return configureFromFile(cmd, path)
}

func envName(flag string) string {
	return "MLIDS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// configureFromFile reads a YAML file: keys of all verbs at its top, those of one verb below the verb's name, such as
// serve or client predict.
//
//	log-level: debug
//	serve:
//	  listen: 127.0.0.1:8080
func configureFromFile(cmd *cobra.Command, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read configuration %s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	err = eachKey(doc.Content[0], func(key string, value *yaml.Node) error { return configureKey(cmd, key, value) })
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// errLine marks an error that already names its line.
var errLine = errors.New("line")

// eachKey visits the keys of a mapping; errors get the line.
func eachKey(mapping *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	if mapping.Kind != yaml.MappingNode {
		return fmt.Errorf("%w %d: want keys and values", errLine, mapping.Line)
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		key := mapping.Content[i]
		err := visit(key.Value, mapping.Content[i+1])
		if err != nil && !errors.Is(err, errLine) {
			err = fmt.Errorf("%w %d: %w", errLine, key.Line, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// configureKey applies one key of the file's top: a flag of all verbs, or a verb's section.
func configureKey(cmd *cobra.Command, key string, value *yaml.Node) error {
	root := cmd.Root()
	if root.PersistentFlags().Lookup(key) != nil {
		return setFromNode(cmd.Flags(), cmd.Flags().Lookup(key), value)
	}
	verb, rest, err := root.Find(strings.Fields(key))
	if err != nil || verb == root || len(rest) > 0 {
		return fmt.Errorf("unknown key %q: neither a verb nor a flag of all verbs", key)
	}
	verb.InheritedFlags() // merges those of the verbs above into the verb's own
	return eachKey(value, func(name string, value *yaml.Node) error {
		f := verb.Flags().Lookup(name)
		if f == nil {
			return fmt.Errorf("unknown key %q: verb %s has no such flag", name, key)
		}
		if verb != cmd && (!below(cmd, verb) || verb.PersistentFlags().Lookup(name) == nil) {
			return nil // of another verb
		}
		return setFromNode(cmd.Flags(), f, value)
	})
}

// below tells whether a verb is one of another's.
func below(cmd, other *cobra.Command) bool {
	for ; cmd != nil; cmd = cmd.Parent() {
		if cmd == other {
			return true
		}
	}
	return false
}

// setFromNode gives a flag its value from the file unless the command line or the environment did.
func setFromNode(flags *pflag.FlagSet, f *pflag.Flag, node *yaml.Node) error {
	if f.Changed {
		return nil
	}
	var values []string
	if node.Kind == yaml.SequenceNode {
		if err := node.Decode(&values); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	} else {
		values = []string{node.Value}
	}
	for _, v := range values {
		if err := flags.Set(f.Name, v); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
