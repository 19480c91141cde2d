// What an import has made of another broker's configuration: settings of ours, and what became of each of its lines.

/** Where a setting stands in its file. */
export interface Source {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** As a comment may repeat it: without what is secret. */
  readonly text: string
}

/** A line `KEY VALUE`. */
export interface Line {
  readonly key: string
  readonly value: string
  readonly source: Source
}

/** A value of ours. */
export interface Setting {
  readonly value: unknown
  /** Empty: no line says so, but theirs has it by default, say. */
  readonly sources: readonly Source[]
  /** What a reader should know of it, as a clause each. */
  readonly remarks: readonly string[]
}

/** What became of a line that is no setting of ours. */
export interface Remark {
  readonly source: Source
  /** "holds": it is so here, without a setting; "left": it is not. */
  readonly fate: "holds" | "left"
  /** A clause. */
  readonly why: string
}

/** What one of their values is here. */
export type Reading =
  | { readonly value: unknown; readonly differs?: string | undefined }
  | { readonly holds: string }
  | { readonly left: string }

export type ListenerKind = "tcp" | "tls" | "ws" | "wss"

/** Settings by their paths, below the place that they belong to. */
export class Settings {
  readonly #settings = new Map<string, Setting>()

  /** Over what was set before. */
  set(path: string, value: unknown, sources: readonly Source[], ...remarks: readonly (string | undefined)[]): void {
    this.#settings.delete(path)
    this.#settings.set(path, { value, sources, remarks: remarks.filter((each) => each !== undefined) })
  }

  get(path: string): Setting | undefined {
    return this.#settings.get(path)
  }

  delete(path: string): Setting | undefined {
    const setting = this.#settings.get(path)
    this.#settings.delete(path)
    return setting
  }

  [Symbol.iterator](): IterableIterator<[string, Setting]> {
    return this.#settings.entries()
  }
}

export class ImportedListener {
  readonly name: string
  readonly type: ListenerKind
  readonly settings: Settings = new Settings()

  constructor(name: string, type: ListenerKind) {
    this.name = name
    this.type = type
  }
}

/** How many of their settings became what. */
export interface Counts {
  /** They mean here what they meant there. */
  readonly carried: number
  readonly changed: number
  readonly left: number
}

export class Outcome {
  readonly settings: Settings = new Settings()
  readonly listeners: ImportedListener[] = []
  readonly bridges: Settings[] = []
  readonly remarks: Remark[] = []
  /** What is other here although no line says so, as a clause each. */
  readonly defaults: string[] = []
  /** For whoever imports: a sentence each. */
  readonly told: string[] = []
  /** Files to be written beside the configuration, by their names. */
  readonly files: Map<string, string> = new Map()
  readonly #changed = new Set<string>()
  readonly #carried = new Set<string>()
  readonly #left = new Set<string>()

  hold(source: Source, why: string): void {
    this.remarks.push({ source, fate: "holds", why })
    this.#carried.add(keyOf(source))
  }

  leave(source: Source, why: string): void {
    this.remarks.push({ source, fate: "left", why })
    this.#left.add(keyOf(source))
  }

  /** A line that became settings. @param differs what is other about it here */
  carry(source: Source, differs?: string): void {
    if (differs === undefined) this.#carried.add(keyOf(source))
    else this.#changed.add(keyOf(source))
  }

  /** Settles one of their values. */
  take(into: Settings, path: string, source: Source, reading: Reading): void {
    if ("left" in reading) this.leave(source, reading.left)
    else if ("holds" in reading) this.hold(source, reading.holds)
    else {
      into.set(path, reading.value, [source], reading.differs)
      this.carry(source, reading.differs)
    }
  }

  /** Takes a setting out again, which cannot be used. */
  drop(from: Settings, path: string, why: string): void {
    for (const source of from.delete(path)?.sources ?? []) this.leave(source, why)
  }

  listener(name: string, type: ListenerKind): ImportedListener {
    const taken = new Set(this.listeners.map((each) => each.name.toLowerCase()))
    let own = nameOf(name, type)
    for (let count = 2; taken.has(own.toLowerCase()); count++) own = `${nameOf(name, type)}-${count}`
    const listener = new ImportedListener(own, type)
    this.listeners.push(listener)
    return listener
  }

  /** A line counts once, as the worst that became of it. */
  get counts(): Counts {
    const left = this.#left.size
    const changed = [...this.#changed].filter((key) => !this.#left.has(key)).length
    const carried = [...this.#carried].filter((key) => !this.#left.has(key) && !this.#changed.has(key)).length
    return { carried, changed, left }
  }
}

function keyOf({ file, line, text }: Source): string {
  return `${file}\n${line}\n${text}`
}

/** What a listener may be called. */
function nameOf(text: string, type: ListenerKind): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .replaceAll(/^[^A-Za-z]+|-+$/g, "")
    .slice(0, 48)
  return name === "" ? type : name
}
