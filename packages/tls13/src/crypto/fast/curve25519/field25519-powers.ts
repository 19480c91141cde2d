import { type Element, element } from "./field25519.ts"
import { multiply, square } from "./field25519-products.ts"

// The two powers modulo p = 2^255 - 19 that curves need, by the usual chain of squarings.

/** out = a^(p-2): the inverse, and 0 for 0. 254 squarings and 11 multiplications. */
export function invert(out: Element, a: Element): void {
  const { low, high } = ones(a)
  squareTimes(high, high, 5)
  multiply(out, high, low)
  low.fill(0)
  high.fill(0)
}

/** The inverses of elements that are not 0, by one inversion. */
export function invertAll(elements: readonly Element[]): Element[] {
  // Products of the first of them.
  const products: Element[] = []
  let last = element()
  last[0] = 1
  for (const a of elements) {
    const next = element()
    multiply(next, last, a)
    products.push(next)
    last = next
  }
  const rest = element()
  invert(rest, last)
  for (let i = elements.length - 1; i > 0; i--) {
    multiply(products[i]!, rest, products[i - 1]!)
    multiply(rest, rest, elements[i]!)
  }
  if (elements.length > 0) products[0]!.set(rest)
  return products
}

/** out = a^((p-5)/8), of which a square root is made (RFC 8032 section 5.1.3). */
export function powerForRoot(out: Element, a: Element): void {
  const { high } = ones(a)
  squareTimes(high, high, 2)
  multiply(out, high, a)
}

/** low = a^11 and high = a^(2^250 - 1). */
function ones(a: Element): { readonly low: Element; readonly high: Element } {
  const [z2, z9, low, high] = [element(), element(), element(), element()]
  const [x10, x20, x50, x100] = [element(), element(), element(), element()]
  square(z2, a)
  squareTimes(z9, z2, 2)
  multiply(z9, z9, a)
  multiply(low, z9, z2)
  square(high, low)
  multiply(z9, high, z9) // a^(2^5 - 1)
  squareTimes(high, z9, 5)
  multiply(x10, high, z9) // a^(2^10 - 1)
  squareTimes(high, x10, 10)
  multiply(x20, high, x10)
  squareTimes(high, x20, 20)
  multiply(high, high, x20) // a^(2^40 - 1)
  squareTimes(high, high, 10)
  multiply(x50, high, x10)
  squareTimes(high, x50, 50)
  multiply(x100, high, x50)
  squareTimes(high, x100, 100)
  multiply(high, high, x100) // a^(2^200 - 1)
  squareTimes(high, high, 50)
  multiply(high, high, x50) // a^(2^250 - 1)
  for (const secret of [z2, z9, x10, x20, x50, x100]) secret.fill(0)
  return { low, high }
}

function squareTimes(out: Element, a: Element, times: number): void {
  square(out, a)
  for (let i = 1; i < times; i++) square(out, out)
}
