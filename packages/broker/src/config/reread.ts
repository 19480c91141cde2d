/** Something that was read again. */
export interface Reread {
  /** Without its fate, such as `certificate: CN=broker.example.com until 2027-12-26`. */
  readonly text: string
  readonly changed: boolean
}

/** "1 rule", "2 rules" */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
}
