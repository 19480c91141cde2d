// Where a value of the configuration comes from.

export type Origin =
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "environment"; readonly variable: string }
  /** `flag` with its dashes. */
  | { readonly kind: "command line"; readonly flag: string }
  /** Nobody has said it. */
  | { readonly kind: "default" }

/** Such as `puremq.toml:12`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.file}:${origin.line}`
    case "environment":
      return origin.variable
    case "command line":
      return origin.flag
    case "default":
      return "default"
  }
}

/** A value that is set over what the file says. */
export interface Setting {
  /** Names from the outside in; behind `listeners` stands a listener's name. */
  readonly path: readonly string[]
  readonly value: unknown
  readonly origin: Origin
}
