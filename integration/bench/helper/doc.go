// Command helper is what the benchmark runs beside ctr-prune.
//
//	helper floor ADDRESS       remove all images of namespace default the
//	                           shortest way there is
//	helper weigh PROGRAM ARGS  run a program and tell its time and memory
package main
