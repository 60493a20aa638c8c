package notify

import "cmp"

// Result makes what Send returns of one error per message of a batch: nil when all are, a *PartialError else.
func Result(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return &PartialError{errs}
		}
	}
	return nil
}

// Key is what orders messages: those of one host stay in order. It is the address that spoke first, else the model.
func Key(m *Message) string {
	if m.Alert.Src.IsValid() {
		return m.Alert.Src.Unmap().WithZone("").String()
	}
	return cmp.Or(m.Alert.Verdict.Model, "mlids")
}
