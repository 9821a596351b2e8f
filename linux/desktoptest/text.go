//go:build linux

package desktoptest

// Text is ten lines that have to be typed as they are, whatever the layout.
const Text = `Hello {yz@~[]|} Zażółć gęślą jaźń €–ß λж漢
The quick brown fox jumps over the lazy dog: 0123456789
!"#$%&'()*+,-./:;<=>?@[\]^_` + "`" + `{|}~
Äpfel, Öl, Übung, Straße; „so“ und ‚so‘
Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis
¿Qué? ¡El Niño! — Ångström, Ørsted, þorn
Съешь же ещё этих мягких французских булок, да выпей чаю
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία
いろはにほへと 日本語 한국어
x²+y³≤½·∞ ∀a∈ℝ: ∃b → ♯♭♩♪
`
