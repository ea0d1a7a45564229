package metrics

// Disk is a file system of the store.
type Disk struct {
	FS                  string
	Capacity, Available uint64
	Inodes, InodesFree  uint64
	Marks               map[string]float64 // such as high, low and critical, as parts of one
	Pressure, Unreached bool
}

// Disks sets what is known of the file systems. One that is not among them is
// forgotten.
func (m *Metrics) Disks(disks []Disk) {
	for _, v := range []interface{ Reset() }{m.capacity, m.available, m.inodes, m.watermark, m.pressure, m.unreached} {
		v.Reset()
	}
	for _, d := range disks {
		m.capacity.WithLabelValues(d.FS).Set(float64(d.Capacity))
		m.available.WithLabelValues(d.FS).Set(float64(d.Available))
		m.inodes.WithLabelValues(d.FS, "free").Set(float64(d.InodesFree))
		m.inodes.WithLabelValues(d.FS, "used").Set(float64(d.Inodes - d.InodesFree))
		for mark, part := range d.Marks {
			m.watermark.WithLabelValues(d.FS, mark).Set(part)
		}
		m.pressure.WithLabelValues(d.FS).Set(number(d.Pressure))
		m.unreached.WithLabelValues(d.FS).Set(number(d.Unreached))
	}
}
