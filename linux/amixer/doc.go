// Package amixer changes volumes of ALSA's own mixer by alsa-utils' amixer, for machines
// without a sound server. What a volume becomes is arithmetic of package volume.
package amixer
