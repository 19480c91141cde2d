// The other half of `instrument.ts`, inside the program: one function throws once, or all that are called are written down.

export interface Trap {
  at(id: string): void
}

declare global {
  var insideOut: Trap
}

let armed: string | undefined
let sprung = false
let recording: Set<string> | undefined

globalThis.insideOut = {
  at(id) {
    recording?.add(id)
    if (id !== armed) return
    armed = undefined
    sprung = true
    throw new TypeError(`planted in ${id}`)
  },
}

export function arm(id: string): void {
  armed = id
  sprung = false
}

/** No function throws any more; whether one has since `arm`. */
export function disarm(): boolean {
  armed = undefined
  return sprung
}

export function record(): void {
  recording = new Set()
}

export function recorded(): string[] {
  const seen = [...(recording ?? [])]
  recording = undefined
  return seen
}
