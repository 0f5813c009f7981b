"""Wait until no other make is at work in the folder: python tools/alone.py [shared]

The caller has opened the folder as descriptor 9, and keeps it open while it works. The lock is the
system's own: there is no file, and it is gone with its holder, however that ends. Those who share
the lock do not wait for each other.
"""

import fcntl
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the wait, without a word
lock = fcntl.LOCK_SH if sys.argv[1:] == ["shared"] else fcntl.LOCK_EX
try:
    fcntl.flock(9, lock | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another make is at work in this folder: waiting until it ends ...")
    sys.stdout.flush()
    fcntl.flock(9, lock)
except OSError:
    pass  # a file system that has no locks
