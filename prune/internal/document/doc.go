// Package document is a plan or a report as programs read it, in JSON.
package document
