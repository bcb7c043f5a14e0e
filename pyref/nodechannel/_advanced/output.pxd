cimport cython

cdef class Output:
    cdef public list parts
    cdef public dict numbers
    cdef public list wide

    @cython.locals(parts=list)
    cpdef object frame(self)
