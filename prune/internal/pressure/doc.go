// Package pressure chooses, of what may go, the least that frees enough. It does no
// I/O.
//
// order.go puts what may go into an order, walk.go says at which place of the order
// each object is freed, choose.go finds the shortest beginning that frees enough,
// and narrow.go makes a policy of it by which a plan removes just that.
package pressure
