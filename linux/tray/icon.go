//go:build linux

package tray

import (
	"image"
	"image/color"
)

// A look is how the four pads of the icon are lit. Each state has one that can be told from the others
// without its colour too.
type look struct {
	colour color.NRGBA
	lit    [4]bool // upper left, upper right, lower left, lower right
	bars   bool    // two upright bars take the place of the pads
}

var (
	dim  = color.NRGBA{0x9c, 0x9c, 0x9c, 0xff} // for light panels and dark ones alike
	blue = color.NRGBA{0x4a, 0x90, 0xd9, 0xff}
	gone = look{colour: color.NRGBA{0x6c, 0x6c, 0x6c, 0xff}, lit: [4]bool{true, true, true, true}}
)

var looks = map[string]look{
	"running":   {colour: color.NRGBA{0x2e, 0xb8, 0x72, 0xff}, lit: [4]bool{true}},
	"degraded":  {colour: color.NRGBA{0xe6, 0xa2, 0x1e, 0xff}, lit: [4]bool{true, false, false, true}},
	"paused":    {colour: color.NRGBA{0x9a, 0x6d, 0xd7, 0xff}, bars: true},
	"starting":  {colour: blue, lit: [4]bool{true, true}},
	"reloading": {colour: blue, lit: [4]bool{true, true}},
	"stopping":  gone,
	"stopped":   gone,
}

// A pixmap is an icon of one size, four bytes a pixel: alpha, red, green, blue. It is (iiay).
type pixmap struct {
	Width, Height int32
	Pixels        []byte
}

// sizes are those that panels ask for, in pixels.
var sizes = []int{16, 22, 24, 32, 48, 64}

// Icon is a state's icon in all sizes. A state without a look of its own has that of stopped.
func Icon(state string) []pixmap {
	l, ok := looks[state]
	if !ok {
		l = gone
	}
	out := make([]pixmap, 0, len(sizes))
	for _, size := range sizes {
		img := l.draw(size)
		p := pixmap{int32(size), int32(size), make([]byte, 0, 4*size*size)} //nolint:gosec // sizes are small
		for i := 0; i < len(img.Pix); i += 4 {
			p.Pixels = append(p.Pixels, img.Pix[i+3], img.Pix[i], img.Pix[i+1], img.Pix[i+2])
		}
		out = append(out, p)
	}
	return out
}

// draw draws the pads.
func (l look) draw(size int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	border, gap := max(size/16, 1), max(size/8, 2)
	pad := (size - 2*border - gap) / 2
	for row := range 2 {
		for column := range 2 {
			box := image.Rect(0, 0, pad, pad).Add(image.Pt(border+column*(pad+gap), border+row*(pad+gap)))
			fill := dim
			if l.lit[2*row+column] {
				fill = l.colour
			}
			if l.bars {
				fill, box = l.colour, image.Rect(box.Min.X, border, box.Max.X, border+2*pad+gap)
			}
			rounded(img, box, pad/4, fill)
		}
	}
	return img
}

// rounded fills a box but for what is outside its round corners.
func rounded(img *image.NRGBA, box image.Rectangle, corner int, c color.NRGBA) {
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			dx := max(box.Min.X+corner-x, x-(box.Max.X-1-corner), 0)
			dy := max(box.Min.Y+corner-y, y-(box.Max.Y-1-corner), 0)
			if dx*dx+dy*dy <= corner*corner {
				img.SetNRGBA(x, y, c)
			}
		}
	}
}
