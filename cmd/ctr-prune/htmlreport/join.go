package htmlreport

// join makes one part of parts that have nothing else beside them: a registry with one
// organisation, an organisation with one repository, a repository with one image. Each
// would be a header around the same area.
func (n *node) join() {
	for i, child := range n.Children {
		child.join()
		n.Children[i] = child.joined()
	}
}

func (n *node) joined() *node {
	if len(n.Children) != 1 || len(n.Leaves)+len(n.Rest) > 0 {
		return n
	}
	only := n.Children[0]
	between := ""
	switch {
	case n.Kind == nodeRepository && n.Name == untagged:
	case n.Kind == nodeRepository && only.Kind == nodeImage:
		between = ":"
	case (n.Kind == nodeRegistry || n.Kind == nodeOrganisation) && only.Kind != nodeShared:
		between = "/"
	}
	if between == "" {
		return n
	}
	only.Name = n.Name + between + only.Name
	return only
}
