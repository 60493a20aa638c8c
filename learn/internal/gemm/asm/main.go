// Command asm writes the vector kernels of package gemm:
//
//	go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg gemm
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	tile("tile512", "AVX-512", 8, 64, func() reg.VecVirtual { return ZMM() })
	tile("tile256", "AVX2 and FMA", 4, 32, func() reg.VecVirtual { return YMM() })
	Generate()
}

// tile writes the kernel that adds a product to a tile of rows × 2 vectors, which stays in registers all the time.
func tile(name, isa string, rows, width int, vector func() reg.VecVirtual) {
	TEXT(name, NOSPLIT, "func(k int, a *float32, aRow, aCol int, b *float32, bRow int, c *float32, cRow int)")
	Pragma("noescape")
	Doc(name + " adds a·b to c, tile by k by tile (" + isa + "). Strides are in bytes.")
	k := Load(Param("k"), GP64())
	a := Load(Param("a"), GP64())
	aRow := Load(Param("aRow"), GP64())
	aCol := Load(Param("aCol"), GP64())
	b := Load(Param("b"), GP64())
	bRow := Load(Param("bRow"), GP64())
	c := Load(Param("c"), GP64())
	cRow := Load(Param("cRow"), GP64())

	at := GP64()
	MOVQ(c, at)
	acc := make([][2]reg.VecVirtual, rows)
	for i := range acc {
		for j := range acc[i] {
			acc[i][j] = vector()
			VMOVUPS(Mem{Base: at, Disp: j * width}, acc[i][j])
		}
		ADDQ(cRow, at)
	}
	three := GP64()
	LEAQ(Mem{Base: aRow, Index: aRow, Scale: 2}, three)
	bases := []reg.Register{a}
	if rows == 8 {
		next := GP64()
		LEAQ(Mem{Base: a, Index: aRow, Scale: 4}, next)
		bases = append(bases, next)
	}
	TESTQ(k, k)
	JZ(LabelRef("done"))
	Label("loop")
	right := [2]reg.VecVirtual{vector(), vector()}
	for j, r := range right {
		VMOVUPS(Mem{Base: b, Disp: j * width}, r)
	}
	for i := range acc {
		left := element(bases[i/4], i%4, aRow, three)
		if rows == 8 {
			for j, r := range right {
				VFMADD231PS_BCST(left, r, acc[i][j])
			}
			continue
		}
		one := vector()
		VBROADCASTSS(left, one)
		for j, r := range right {
			VFMADD231PS(one, r, acc[i][j])
		}
	}
	for _, base := range bases {
		ADDQ(aCol, base)
	}
	ADDQ(bRow, b)
	DECQ(k)
	JNZ(LabelRef("loop"))
	Label("done")
	for i := range acc {
		for j := range acc[i] {
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: j * width})
		}
		ADDQ(cRow, c)
	}
	VZEROUPPER()
	RET()
}

// element is the value of a row 0 to 3 below base.
func element(base reg.Register, row int, stride, three reg.Register) Mem {
	switch row {
	case 0:
		return Mem{Base: base}
	case 3:
		return Mem{Base: base, Index: three, Scale: 1}
	}
	return Mem{Base: base, Index: stride, Scale: uint8(row)}
}
