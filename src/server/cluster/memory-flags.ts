/** The most that young objects may take, where V8 allows 16: a request's garbage is gone before it would be moved. */
const semiSpaceMiB = 32

/**
 * Flags of every process through which bytes of clients pass. V8 counts the bytes that arrive from sockets as its
 * own and by default marks its whole heap for every 64 MiB of them: a seventh of the CPU of large uploads. Counted
 * towards the heap's limit, they wait for the next scavenge.
 */
export const memoryFlags: readonly string[] = [`--max-semi-space-size=${semiSpaceMiB}`, '--external-memory-accounted-in-global-limit']
