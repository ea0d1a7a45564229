// Package rounds makes one report of the rounds of a run that frees what a disk lacks.
package rounds
