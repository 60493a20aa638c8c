// Package alert says what an alert is in other tools' words: compact JSON for queues, Suricata's EVE JSON, the Elastic
// Common Schema, and the ATT&CK technique that a class of attack stands for.
package alert
