/** A worker: reports its request with its pid, then works without end and without a turn of the event loop. */

import { endWithParent, readRequest, writeMessage } from '../../src/worker/inherited.ts';

const request = readRequest() as { readonly parent: number };
endWithParent(request.parent);
writeMessage({ request, pid: process.pid });
for (;;);
