import type { Drive } from './drive.ts'

interface Round {
  readonly running: Promise<void>
  /** The round after it, shared by everyone who asked while this one was running. */
  next: Promise<void> | undefined
}

/**
 * Directory syncs, shared by concurrent writers of one directory. A sync that starts after an
 * entry was made covers it; one that is already running may not, so the writer waits for the next.
 */
export class DirectorySyncs {
  readonly #drive: Drive
  readonly #rounds = new Map<string, Round>()

  constructor(drive: Drive) {
    this.#drive = drive
  }

  /** Resolves once every entry of the directory made before this call is on stable storage. */
  sync(path: string): Promise<void> {
    const round = this.#rounds.get(path)
    if (round === undefined) return this.#start(path)
    round.next ??= round.running.then(
      () => this.#start(path),
      () => this.#start(path),
    )
    return round.next
  }

  #start(path: string): Promise<void> {
    const round: Round = { running: this.#drive.syncDirectory(path), next: undefined }
    this.#rounds.set(path, round)
    const finish = (): void => {
      if (round.next === undefined) this.#rounds.delete(path)
    }
    round.running.then(finish, finish)
    return round.running
  }
}
