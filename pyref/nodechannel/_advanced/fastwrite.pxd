cimport cython
from nodechannel._advanced.output cimport Output

cdef int _DEEPEST, _SHORT
cdef object _DOUBLE
cdef list _STRING_HEADS, _OBJECT_ENDS, _DENSE_HEADS, _DENSE_ENDS
cdef bytes _TRUE, _FALSE, _NULL, _OBJECT
cdef dict _INTEGERS, PRIMITIVES, LEAVES

@cython.locals(out=Output)
cpdef object write(object message)

@cython.locals(numbers=dict, parts=list, known=dict, integers=dict, text=str, count=Py_ssize_t, size=Py_ssize_t)
cdef object _object(Output out, dict value, int depth)

@cython.locals(numbers=dict, parts=list, integers=dict, text=str, length=Py_ssize_t, count=Py_ssize_t, size=Py_ssize_t)
cdef object _array(Output out, list value, int depth)

@cython.locals(size=Py_ssize_t, raw=bytes)
cdef object _string(Output out, str text)

cdef object _other(Output out, object value)
cdef object _reference(Output out, object value)
cdef object _name(Output out, object key)
