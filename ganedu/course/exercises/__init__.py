"""The exercises, one file each; `ganedu.course.checking` says what stands in it."""
