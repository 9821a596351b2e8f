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

// Explained is a code and what it means.
type Explained struct {
	Code    Code
	Meaning string
	Warning bool // it refuses no file
}

// Codes is what each code means, errors first and each group in the order of the codes.
var Codes = []Explained{
	{BadName, "a name that cannot be used: it has control characters or looks like the path of a mapping", false},
	{BadValue, "a number beyond 64 bits, or a date or time that does not exist", false},
	{Conflict, "two settings exclude each other", false},
	{DuplicateKey, "a key or table is defined twice, or in both of its spellings", false},
	{DuplicateName, "two modes, devices or mappings have the same name", false},
	{Empty, "a text or list that must not be empty is", false},
	{EmptyRange, "the lower bound is above the upper one", false},
	{HoldTooShort, "a LongPress not longer than the time in which a chord with its note may come together", false},
	{IncludeCycle, "a file includes itself, directly or through others", false},
	{IncludeUnreadable, "a file that is included cannot be read or trusted", false},
	{MissingKey, "a key that must be given is not", false},
	{More, "there are more diagnostics than are shown", false},
	{NotHere, "something that cannot be done where it stands", false},
	{OutOfRange, "a number, or the size of a list, is smaller or larger than it may be", false},
	{Repeated, "a list has the same thing twice", false},
	{Syntax, "the text is not TOML", false},
	{TooDeep, "values or actions are nested too deep", false},
	{TooLarge, "the file is larger than 4 MiB", false},
	{TooMany, "more keys, steps or devices than fit", false},
	{UnknownDevice, "a trigger or condition names a device that is not configured", false},
	{UnknownMode, "an action or condition names a mode that is not configured", false},
	{UnknownValue, "a word that is none of those allowed", false},
	{WrongType, "a value of another type than the key takes", false},
	{AddedLatency, "a mapping that must wait to see whether another one of its control is meant", true},
	{GroupWritable, "the file can be written by its group, which could make midimon run commands", true},
	{IncludeNotFollowed, "a file that is included is not read, because files are not opened where this is asked", true},
	{NoEffect, "something that can do nothing where it stands", true},
	{NotSupported, "something that this version does not do; it is left out", true},
	{Shadowed, "a mapping that can never act, because an earlier one always does", true},
	{UnknownKey, "a key that means nothing; it is ignored", true},
	{UnreachedMode, "a mode that no mapping and no application makes act", true},
}
