// The build leads these names to the files themselves, whose place the recording ones take.

declare module "plain:reader" {
  export { Reader } from "@puremq/tls13/explore"
}

declare module "plain:writer" {
  export { Writer } from "@puremq/tls13/explore"
}
