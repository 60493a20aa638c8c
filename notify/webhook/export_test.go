package webhook

// RefuseAddress is what the dialer asks about each address, whatever name it was found by.
var RefuseAddress = refuseAddress
