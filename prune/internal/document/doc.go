// Package document converts plans and reports to the form in which programs
// read them as JSON.
package document
