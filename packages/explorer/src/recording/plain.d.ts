// The build leads these names to the files themselves, whose place the recording ones take.

declare module "plain:reader" {
  export { Reader } from "@puremq/tls13/explore"
}

declare module "plain:writer" {
  export { Writer } from "@puremq/tls13/explore"
}

declare module "plain:der" {
  export { Der } from "@puremq/tls13/explore"
}

declare module "explorer:rules" {
  export const rules: readonly {
    readonly rule: string
    readonly file: string
    readonly line: number
    readonly reason: string
    readonly cited: string
  }[]
}
