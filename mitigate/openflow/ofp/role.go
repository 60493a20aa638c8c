package ofp

import "fmt"

// Role is what a controller is for a switch.
type Role uint32

// The roles.
const (
	RoleAsk    Role = 0 // change nothing, tell the role
	RoleEqual  Role = 1
	RoleMaster Role = 2
	RoleSlave  Role = 3
)

// String is the role's name on the command line.
func (r Role) String() string {
	switch r {
	case RoleEqual:
		return "equal"
	case RoleMaster:
		return "master"
	case RoleSlave:
		return "slave"
	}
	return fmt.Sprintf("role %d", uint32(r))
}

// RoleMessage asks for a role, or tells which one the controller has now.
type RoleMessage struct {
	Reply      bool
	Role       Role
	Generation uint64 // grows with each change of master; all ones: none was ever told
}

// Type is TypeRoleRequest or TypeRoleReply.
func (m *RoleMessage) Type() Type {
	if m.Reply {
		return TypeRoleReply
	}
	return TypeRoleRequest
}

// AppendBody adds the message.
func (m *RoleMessage) AppendBody(b []byte) []byte {
	b = zeros(be.AppendUint32(b, uint32(m.Role)), 4)
	return be.AppendUint64(b, m.Generation)
}

// Decode reads the message. Reply stays as it is: the header tells.
func (m *RoleMessage) Decode(body []byte) error {
	if err := need(m.Type(), body, 16); err != nil {
		return err
	}
	m.Role, m.Generation = Role(be.Uint32(body)), be.Uint64(body[8:])
	return nil
}
