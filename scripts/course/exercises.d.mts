export interface Exercise {
  readonly id: string
  readonly title: string
  readonly read: string
  readonly ask: string
  readonly empty: Readonly<Record<string, readonly string[]>>
  readonly tests: readonly string[]
}

export const exercises: readonly Exercise[]
