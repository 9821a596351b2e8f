package config

// Code is the stable name of a kind of diagnostic.
type Code string

// The codes. Those of the second group are warnings, which refuse no file.
const (
	BadName       Code = "bad-name"
	BadValue      Code = "bad-value"
	Conflict      Code = "conflict"
	DuplicateKey  Code = "duplicate-key"
	DuplicateName Code = "duplicate-name"
	Empty         Code = "empty"
	EmptyRange    Code = "empty-range"
	HoldTooShort  Code = "hold-too-short"

	IncludeCycle      Code = "include-cycle"
	IncludeUnreadable Code = "include-unreadable"

	MissingKey    Code = "missing-key"
	More          Code = "more"
	NotHere       Code = "not-here"
	OutOfRange    Code = "out-of-range"
	Repeated      Code = "repeated"
	Syntax        Code = "syntax"
	TooDeep       Code = "too-deep"
	TooLarge      Code = "too-large"
	TooMany       Code = "too-many"
	UnknownDevice Code = "unknown-device"
	UnknownMode   Code = "unknown-mode"
	UnknownValue  Code = "unknown-value"
	WrongType     Code = "wrong-type"

	AddedLatency       Code = "added-latency"
	GroupWritable      Code = "group-writable"
	IncludeNotFollowed Code = "include-not-followed"

	NoEffect      Code = "no-effect"
	NotSupported  Code = "not-supported"
	Shadowed      Code = "shadowed"
	UnknownKey    Code = "unknown-key"
	UnreachedMode Code = "unreached-mode"
)

// Codes is what each code means, in the order of the codes.
var Codes = []struct {
	Code    Code
	Meaning string
}{
	{BadName, "a name that cannot be used: it has control characters or looks like the path of a mapping"},
	{BadValue, "a number beyond 64 bits, or a date or time that does not exist"},
	{Conflict, "two settings exclude each other"},
	{DuplicateKey, "a key or table is defined twice, or in both of its spellings"},
	{DuplicateName, "two modes, devices or mappings have the same name"},
	{Empty, "a text or list that must not be empty is"},
	{EmptyRange, "the lower bound is above the upper one"},
	{HoldTooShort, "a LongPress not longer than the time in which a chord with its note may come together"},
	{IncludeCycle, "a file includes itself, directly or through others"},
	{IncludeUnreadable, "a file that is included cannot be read or trusted"},
	{MissingKey, "a key that must be given is not"},
	{More, "there are more diagnostics than are shown"},
	{NotHere, "something that cannot be done where it stands"},
	{OutOfRange, "a number, or the size of a list, is smaller or larger than it may be"},
	{Repeated, "a list has the same thing twice"},
	{Syntax, "the text is not TOML"},
	{TooDeep, "values or actions are nested too deep"},
	{TooLarge, "the file is larger than 4 MiB"},
	{TooMany, "more keys, steps or devices than fit"},
	{UnknownDevice, "a trigger or condition names a device that is not configured"},
	{UnknownMode, "an action or condition names a mode that is not configured"},
	{UnknownValue, "a word that is none of those allowed"},
	{WrongType, "a value of another type than the key takes"},
	{AddedLatency, "a mapping that must wait to see whether another one of its control is meant"},
	{GroupWritable, "the file can be written by its group, which could make midimon run commands"},
	{IncludeNotFollowed, "a file that is included is not read, because files are not opened where this is asked"},
	{NoEffect, "something that can do nothing where it stands"},
	{NotSupported, "something that this version does not do; it is left out"},
	{Shadowed, "a mapping that can never act, because an earlier one always does"},
	{UnknownKey, "a key that means nothing; it is ignored"},
	{UnreachedMode, "a mode that no mapping and no application makes act"},
}
