cimport cython

cdef int _LATIN1, _INT32, _DOUBLE, _OBJECT, _OBJECT_END, _DENSE, _DENSE_END
cdef int _DEEPEST
cdef list _INTEGERS
cdef dict _CONSTANTS, _LEAVES

@cython.locals(tag=int)
cpdef object read(object frame)

@cython.locals(found=dict, count=Py_ssize_t, tag=int, size=int, end=Py_ssize_t)
cdef tuple _object(object frame, const unsigned char[::1] data, Py_ssize_t at, list objects, str text, int depth)

@cython.locals(found=list, length=Py_ssize_t, tag=int, size=int, start=Py_ssize_t)
cdef tuple _array(object frame, const unsigned char[::1] data, Py_ssize_t at, list objects, str text, int depth)
