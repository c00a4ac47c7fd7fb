"""For dramatiq's own command line: `dramatiq workers.main`.  Importing it makes the process a worker on the Redis of the settings.

`duecare worker` does not need it; it is for those who look after dramatiq processes by other means.  Use `--threads 1`.
"""

import dramatiq

from workers.process import make_broker

broker = make_broker()
dramatiq.set_broker(broker)
