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

// All is one error for each of n messages.
func All(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// Key is what orders messages: those of one host stay in order. It is the address that spoke first, else the model.
func Key(m *Message) string {
	if m.Alert.Src.IsValid() {
		return m.Alert.Src.Unmap().WithZone("").String()
	}
	return cmp.Or(m.Alert.Verdict.Model, "mlids")
}
