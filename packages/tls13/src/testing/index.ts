// Entry `@puremq/tls13/testing`: what tests of a program on the core need. Certificates for them are in `./devcert`.

export { Pair, received, type Side } from "./pair.ts"
