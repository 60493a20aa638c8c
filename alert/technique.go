package alert

import (
	"slices"
	"strings"
)

// Technique is a technique of MITRE ATT&CK for Enterprise (https://attack.mitre.org), and how an alert of it is rated.
type Technique struct {
	ID, Name         string // T1110.001, "Brute Force: Password Guessing"
	TacticID, Tactic string // TA0006, "Credential Access"
	kind             kind
}

// URL is the technique's page.
func (t Technique) URL() string {
	return "https://attack.mitre.org/techniques/" + strings.ReplaceAll(t.ID, ".", "/") + "/"
}

// kind is a classification of Suricata's classification.config: its text, and its priority, 1 the most urgent.
type kind struct {
	category string
	severity int
}

// rule is a technique with the classes and attack types it stands for.
type rule struct {
	Technique
	classes []string // as key makes them
}

// TechniqueOf finds the technique of a class or attack type, however it is spelled: "DoS attacks-GoldenEye",
// "dos_goldeneye". False for those that stand for no one technique, such as "attack".
func TechniqueOf(class string) (Technique, bool) {
	r, _ := find(class)
	return r.Technique, r.ID != ""
}

// find gives the rule of a class and its number in the table, which is part of the alert's signature id; the zero rule
// and -1 for none.
func find(class string) (rule, int) {
	name := key(class)
	for i, r := range rules() {
		if slices.Contains(r.classes, name) {
			return r, i
		}
	}
	return rule{}, -1
}

// key is a class's name in lower case, without what is neither letter nor digit, and without the mark of attempts.
func key(class string) string {
	class, _, _ = strings.Cut(strings.ToLower(class), " - attempted")
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, class)
}
