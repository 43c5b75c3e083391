"""Several web workers behind one port: each answers HTTP, and what there may be one of only is kept by their parent.

common    what a server has one of, however many web workers it has
lead      the parent: starts the workers, starts one again that died, ends them all
desk      at the parent: gives out what there is one of, and takes it back when a worker has gone
line      between the two: lines of JSON over a pair of sockets that nobody else can reach
leased    at the worker: the same surfaces as the parent's own, each asking over the line
__main__  the worker, a program of its own
"""
