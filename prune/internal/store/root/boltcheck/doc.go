// Package boltcheck tells whether a bolt file is whole before bolt opens it.
//
// bolt maps its file into memory and trusts it: a page that is cut off, or names
// itself as its child, ends the process or never ends. [Check] reads every page
// that is in use once, as plain bytes, and says what is wrong.
package boltcheck
