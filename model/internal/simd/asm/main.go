// Command asm writes the vector kernels of package simd:
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg simd
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Comparisons of a threshold with a value: the row goes right. The second one is true for NaN.
const (
	below        = 0x11 // LT_OQ
	notAtLeast   = 0x19 // NGE_UQ
	above        = 0x1e // GT_OQ, value first
	notAtMost    = 0x16 // NLE_UQ, value first
	tableBytes   = 128  // leaf values of 32 leaves
	columnsBytes = 512  // sums of 64 rows
)

func main() {
	for halves, names := range [][2]string{{"block512x32", "block256x32"}, {"block512x64", "block256x64"}} {
		block(names[0], "AVX-512", halves+1, wide{})
		block(names[1], "AVX2", halves+1, &narrow{})
	}
	row("row512x64", 2)
	row("row512x128", 4)
	dense("dense512", "AVX-512", 64, func() reg.VecVirtual { return ZMM() })
	dense("dense256", "AVX2 and FMA", 32, func() reg.VecVirtual { return YMM() })
	Generate()
}

// vectors is what differs between the instruction sets in the kernel of many rows; each has four vectors in flight.
type vectors interface {
	rows() string
	start()                                                     // before all trees
	full() reg.VecVirtual                                       // all leaves possible
	node(op uint64, at Mem, column Mem, acc [][]reg.VecVirtual) // one comparison for all rows
	tables(acc [][]reg.VecVirtual, table, sums Mem, loop func(body func()))
}

// block writes the kernel that runs trees over a block of rows. See package simd for the layout of code.
func block(name, isa string, halves int, v vectors) {
	TEXT(name, NOSPLIT, "func(code *uint32, trees int, columns *float32, sums *float64)")
	Pragma("noescape")
	Doc(name + " adds the values of trees to the sums of " + v.rows() + " rows (" + isa + ").")
	at := Load(Param("code"), GP64())
	trees := Load(Param("trees"), GP64())
	columns := Load(Param("columns"), GP64())
	sums := Load(Param("sums"), GP64())
	v.start()

	Label("tree")
	acc := make([][]reg.VecVirtual, 4)
	for j := range acc {
		for range halves {
			acc[j] = append(acc[j], v.full())
		}
	}
	tables, nodes := GP64(), GP64()
	MOVL(Mem{Base: at, Disp: 12}, tables.As32())
	MOVQ(tables, nodes)
	SHLQ(U8(6+halves), nodes) // tables of 128 or 256 bytes
	LEAQ(Mem{Base: at, Index: nodes, Scale: 1, Disp: 16}, nodes)
	for i, op := range []uint64{below, notAtLeast} {
		count, offset := GP64(), GP64()
		loop, end := []string{"left", "right"}[i], []string{"left_end", "right_end"}[i]
		MOVL(Mem{Base: at, Disp: 4 * i}, count.As32())
		TESTQ(count, count)
		JZ(LabelRef(end))
		Label(loop)
		MOVL(Mem{Base: nodes}, offset.As32())
		v.node(op, Mem{Base: nodes, Disp: 4}, Mem{Base: columns, Index: offset, Scale: 1}, acc)
		ADDQ(Imm(uint64(8+4*halves)), nodes)
		DECQ(count)
		JNZ(LabelRef(loop))
		Label(end)
	}
	sum := GP64()
	MOVL(Mem{Base: at, Disp: 8}, sum.As32())
	ADDQ(sums, sum)
	ADDQ(Imm(16), at)
	v.tables(acc, Mem{Base: at}, Mem{Base: sum}, func(body func()) {
		Label("table")
		body()
		ADDQ(U32(tableBytes*halves), at)
		ADDQ(U32(columnsBytes), sum)
		DECQ(tables)
		JNZ(LabelRef("table"))
	})
	MOVQ(nodes, at)
	DECQ(trees)
	JNZ(LabelRef("tree"))
	VZEROUPPER()
	RET()
}

// wide is AVX-512: 64 rows. Leaves lie from the highest bit down.
type wide struct{}

func (wide) rows() string { return "64" }
func (wide) start()       {}

func (wide) full() reg.VecVirtual {
	z := ZMM()
	VPTERNLOGD(U8(0xff), z, z, z)
	return z
}

func (wide) node(op uint64, at, column Mem, acc [][]reg.VecVirtual) {
	threshold := ZMM()
	VBROADCASTSS(at, threshold)
	clear := make([]reg.VecVirtual, len(acc[0]))
	for h := range clear {
		clear[h] = ZMM()
		VPBROADCASTD(at.Offset(4+4*h), clear[h])
	}
	for j := range acc {
		k := K()
		VCMPPS(U8(op), column.Offset(64*j), threshold, k)
		for h := range clear {
			VPANDND(acc[j][h], clear[h], k, acc[j][h])
		}
	}
}

func (wide) tables(acc [][]reg.VecVirtual, table, sums Mem, loop func(func())) {
	second := make([]reg.Register, len(acc)) // rows whose leaf is in the second half
	for j := range acc {
		if len(acc[j]) == 2 {
			k := K()
			VPTESTNMD(acc[j][0], acc[j][0], k)
			second[j] = k
		}
		for h := range acc[j] {
			VPLZCNTD(acc[j][h], acc[j][h])
		}
	}
	loop(func() {
		for j := range acc {
			v := make([]reg.VecVirtual, len(acc[j]))
			for h := range v {
				lower := ZMM()
				VMOVUPS(table.Offset(tableBytes*h), lower)
				v[h] = ZMM()
				VMOVDQA32(acc[j][h], v[h])
				VPERMI2PS(table.Offset(tableBytes*h+64), lower, v[h])
			}
			if len(v) == 2 {
				VBLENDMPS(v[1], v[0], second[j], v[0])
			}
			high, low, part := ZMM(), ZMM(), YMM()
			VCVTPS2PD(v[0].AsY(), low)
			VEXTRACTF64X4(Imm(1), v[0], part)
			VCVTPS2PD(part, high)
			VADDPD(sums.Offset(128*j), low, low)
			VADDPD(sums.Offset(128*j+64), high, high)
			VMOVUPD(low, sums.Offset(128*j))
			VMOVUPD(high, sums.Offset(128*j+64))
		}
	})
}

// narrow is AVX2: 32 rows. Leaves lie from the lowest bit up.
type narrow struct{ zero, ones reg.VecVirtual }

func (*narrow) rows() string { return "32" }

func (n *narrow) start() {
	n.zero, n.ones = YMM(), YMM()
	VPXOR(n.zero, n.zero, n.zero)
	VPCMPEQD(n.zero, n.zero, n.ones)
}

func (n *narrow) full() reg.VecVirtual {
	y := YMM()
	VMOVDQA(n.ones, y)
	return y
}

func (*narrow) node(op uint64, at, column Mem, acc [][]reg.VecVirtual) {
	threshold, right, both := YMM(), YMM(), YMM()
	VBROADCASTSS(at, threshold)
	clear := make([]reg.VecVirtual, len(acc[0]))
	for h := range clear {
		clear[h] = YMM()
		VPBROADCASTD(at.Offset(4+4*h), clear[h])
	}
	for j := range acc {
		VCMPPS(U8(op), column.Offset(32*j), threshold, right)
		for h := range clear {
			VPAND(clear[h], right, both)
			VPANDN(acc[j][h], both, acc[j][h])
		}
	}
}

// tables finds the lowest possible leaf as the exponent of that bit's number.
func (n *narrow) tables(acc [][]reg.VecVirtual, table, sums Mem, loop func(func())) {
	exponent, bias := YMM(), YMM()
	VPSRLD(Imm(25), n.ones, bias)
	VPSRLD(Imm(24), n.ones, exponent)
	for j := range acc {
		leaf, second, lowest := acc[j][0], YMM(), YMM()
		if len(acc[j]) == 2 {
			VPCMPEQD(leaf, n.zero, second)
			VPBLENDVB(second, acc[j][1], leaf, leaf)
		}
		VPSUBD(leaf, n.zero, lowest)
		VPAND(lowest, leaf, leaf)
		VCVTDQ2PS(leaf, leaf)
		VPSRLD(Imm(23), leaf, leaf)
		VPAND(exponent, leaf, leaf)
		VPSUBD(bias, leaf, leaf)
		if len(acc[j]) == 2 {
			VPSRLD(Imm(31), second, second)
			VPSLLD(Imm(5), second, second)
			VPADDD(second, leaf, leaf)
		}
	}
	loop(func() {
		for j := range acc {
			all, v, part := YMM(), YMM(), XMM()
			VMOVDQA(n.ones, all)
			VXORPS(v, v, v) // the gather merges
			VGATHERDPS(all, Mem{Base: table.Base, Disp: table.Disp, Index: acc[j][0], Scale: 4}, v)
			high, low := YMM(), YMM()
			VCVTPS2PD(v.AsX(), low)
			VEXTRACTF128(Imm(1), v, part)
			VCVTPS2PD(part, high)
			VADDPD(sums.Offset(64*j), low, low)
			VADDPD(sums.Offset(64*j+32), high, high)
			VMOVUPD(low, sums.Offset(64*j))
			VMOVUPD(high, sums.Offset(64*j+32))
		}
	})
}

// row writes the kernel for one row: each lane is a tree, and the row lies in pairs of registers that permutations pick
// from.
func row(name string, pairs int) {
	TEXT(name, NOSPLIT, "func(code *uint32, groups int, row *float32, out *float32)")
	Pragma("noescape")
	Doc(name + " finds the leaf values of groups of 16 trees for one row (AVX-512).")
	at := Load(Param("code"), GP64())
	groups := Load(Param("groups"), GP64())
	in := Load(Param("row"), GP64())
	out := Load(Param("out"), GP64())
	values := make([]reg.VecVirtual, 2*pairs)
	for i := range values {
		values[i] = ZMM()
		VMOVUPS(Mem{Base: in, Disp: 64 * i}, values[i])
	}
	lanes := GLOBL(name+"_lanes", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(32*i))
	}
	offsets, bit5, bit6 := ZMM(), ZMM(), ZMM()
	VMOVDQU32(lanes, offsets)
	VPTERNLOGD(U8(0xff), bit5, bit5, bit5)
	VPSRLD(Imm(31), bit5, bit5)
	VPSLLD(Imm(6), bit5, bit6)
	VPSLLD(Imm(5), bit5, bit5)

	Label("group")
	acc := ZMM()
	VPTERNLOGD(U8(0xff), acc, acc, acc)
	slots := GP64()
	LEAQ(Mem{Base: at, Disp: 64 + 16*tableBytes}, slots)
	for i, op := range []uint64{above, notAtMost} {
		count := GP64()
		loop, end := []string{"left", "right"}[i], []string{"left_end", "right_end"}[i]
		MOVL(Mem{Base: at, Disp: 4 * i}, count.As32())
		TESTQ(count, count)
		JZ(LabelRef(end))
		Label(loop)
		index, k, third := ZMM(), K(), K()
		VMOVDQU32(Mem{Base: slots}, index)
		VPTESTMD(bit5, index, k)
		picked := make([]reg.VecVirtual, pairs)
		for p := range picked {
			picked[p] = ZMM()
			VMOVDQA32(index, picked[p])
			VPERMI2PS(values[2*p+1], values[2*p], picked[p])
		}
		for p := 0; p < pairs; p += 2 {
			VBLENDMPS(picked[p+1], picked[p], k, picked[p])
		}
		if pairs == 4 {
			VPTESTMD(bit6, index, third)
			VBLENDMPS(picked[2], picked[0], third, picked[0])
		}
		right := K()
		VCMPPS(U8(op), Mem{Base: slots, Disp: 64}, picked[0], right)
		VPANDD(Mem{Base: slots, Disp: 128}, acc, right, acc)
		ADDQ(U32(192), slots)
		DECQ(count)
		JNZ(LabelRef(loop))
		Label(end)
	}
	leaf, value, all := ZMM(), ZMM(), K()
	VPLZCNTD(acc, leaf)
	VPADDD(offsets, leaf, leaf)
	KXNORW(all, all, all)
	VGATHERDPS(Mem{Base: at, Disp: 64, Index: leaf, Scale: 4}, all, value)
	VMOVUPS(value, Mem{Base: out})
	ADDQ(Imm(64), out)
	MOVQ(slots, at)
	DECQ(groups)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// dense writes the kernel of one layer for one vector: eight outputs to a panel of weights, four panels at a time. Each
// output is summed in the order of the inputs, and fused products of what was float32 are exact, so the sums are those
// of plain multiplication and addition.
func dense(name, isa string, width int, vector func() reg.VecVirtual) {
	TEXT(name, NOSPLIT, "func(weights *float64, inputs int, panels int, x *float64, y *float64)")
	Pragma("noescape")
	Doc(name + " adds weights times x to y, eight outputs per panel (" + isa + ").")
	weights := Load(Param("weights"), GP64())
	inputs := Load(Param("inputs"), GP64())
	panels := Load(Param("panels"), GP64())
	x := Load(Param("x"), GP64())
	y := Load(Param("y"), GP64())
	const panelBytes = 64
	stride := GP64() // from panel to panel of weights
	MOVQ(inputs, stride)
	SHLQ(U8(6), stride)
	for _, count := range []int{4, 1} {
		next, end, loop := "next"+string(rune('0'+count)), "end"+string(rune('0'+count)), "loop"+string(rune('0'+count))
		Label(next)
		CMPQ(panels, U8(count))
		JL(LabelRef(end))
		var sums []reg.VecVirtual
		var panel []reg.GPVirtual
		for p := range count {
			panel = append(panel, GP64())
			if p == 0 {
				MOVQ(weights, panel[p])
			} else {
				LEAQ(Mem{Base: panel[p-1], Index: stride, Scale: 1}, panel[p])
			}
			for v := range panelBytes / width {
				s := vector()
				VMOVUPD(Mem{Base: y, Disp: p*panelBytes + v*width}, s)
				sums = append(sums, s)
			}
		}
		LEAQ(Mem{Base: panel[count-1], Index: stride, Scale: 1}, weights)
		at, left := GP64(), GP64()
		MOVQ(x, at)
		MOVQ(inputs, left)
		Label(loop)
		value := vector()
		VBROADCASTSD(Mem{Base: at}, value)
		for p := range count {
			for v := range panelBytes / width {
				VFMADD231PD(Mem{Base: panel[p], Disp: v * width}, value, sums[p*panelBytes/width+v])
			}
			ADDQ(Imm(panelBytes), panel[p])
		}
		ADDQ(Imm(8), at)
		DECQ(left)
		JNZ(LabelRef(loop))
		for i, s := range sums {
			VMOVUPD(s, Mem{Base: y, Disp: i * width})
		}
		ADDQ(U32(count*panelBytes), y)
		SUBQ(U8(count), panels)
		JMP(LabelRef(next))
		Label(end)
	}
	VZEROUPPER()
	RET()
}
