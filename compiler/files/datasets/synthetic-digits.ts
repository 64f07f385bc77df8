/**
 * Digits to learn from where MNIST cannot be had: drawn with a pen along strokes whose points, slant, size, thickness
 * and place differ from image to image, bent by a smooth random field, with uneven ink. Each image depends only on the
 * seed and its own number.
 */
import type { FileArray } from '../file-array.js'
import { glyphs } from './digit-strokes.js'
import type { Point, Stroke } from './digit-strokes.js'
import type { Digits } from './mnist.js'
import { RandomSequence } from './random.js'

const SIDE = 28
/** The digit's box in pixels; the rest is margin, as in MNIST. */
const BOX = 20

export type SyntheticOptions = { readonly train?: number; readonly test?: number; readonly seed?: number }

/** As many digits as asked for, in the form of `loadMnist`. The test images come after the training images of the same seed. */
export function syntheticDigits({ train = 20_000, test = 4_000, seed = 1 }: SyntheticOptions = {}): Digits {
  const first = drawDigits(0, train, seed), second = drawDigits(train, test, seed)
  return { xTrain: first.images, yTrain: first.labels, xTest: second.images, yTest: second.labels }
}

function drawDigits(from: number, count: number, seed: number): { images: FileArray; labels: FileArray } {
  const pixels = new Uint8Array(count * SIDE * SIDE), labels = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const random = new RandomSequence(seed, from + i)
    labels[i] = random.below(10)
    drawDigit(labels[i]!, random, pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE))
  }
  return { images: { dtype: 'uint8', shape: [count, SIDE, SIDE], data: pixels }, labels: { dtype: 'uint8', shape: [count], data: labels } }
}

/** Draws one image of `digit` into `pixels` (28 × 28, zero before). */
export function drawDigit(digit: number, random: RandomSequence, pixels: Uint8Array): void {
  const ways = glyphs[digit]!
  const jitter = random.uniform(0.012, 0.035)
  const strokes = joined(ways[random.below(ways.length)]!, ([x, y]) => [x + random.normal(jitter), y + random.normal(jitter)])
  const place = composed(affine(random), elastic(random))
  const radius = random.uniform(0.75, 1.65)
  const ink = new Float32Array(SIDE * SIDE)
  for (const stroke of strokes) drawCurve(smooth(stroke).map(place), radius, ink)
  const strength = random.uniform(0.85, 1.15)
  for (let i = 0; i < ink.length; i++) if (ink[i]! > 0) pixels[i] = 255 * Math.min(1, ink[i]! * strength * random.uniform(0.8, 1.05))
}

type PointMap = (point: Point) => Point

/** Moves every point; points that strokes share stay shared, so that corners stay closed. */
function joined(strokes: readonly Stroke[], move: PointMap): Stroke[] {
  const moved = new Map<string, Point>()
  const once = (point: Point): Point => {
    const known = moved.get(point.join()) ?? move(point)
    moved.set(point.join(), known)
    return known
  }
  return strokes.map((stroke) => stroke.map(once))
}

const composed = (...maps: readonly PointMap[]): PointMap => (point) => maps.reduce((p, map) => map(p), point)

/** From the unit square to pixels: size, slant, turn and place. */
function affine(random: RandomSequence): PointMap {
  const angle = random.normal(0.1), shear = random.normal(0.16)
  const width = BOX * random.uniform(0.72, 1.08), height = BOX * random.uniform(0.88, 1.08)
  const dx = SIDE / 2 + random.normal(0.8), dy = SIDE / 2 + random.normal(0.8)
  return ([x, y]) => {
    const v = (y - 0.5) * height, u = (x - 0.5) * width - shear * v
    return [u * Math.cos(angle) - v * Math.sin(angle) + dx, u * Math.sin(angle) + v * Math.cos(angle) + dy]
  }
}

/** A smooth displacement of up to about a pixel and a half: two long waves in each direction. */
function elastic(random: RandomSequence): PointMap {
  const waves = Array.from({ length: 4 }, () => ({
    size: random.normal(0.65), phase: random.uniform(0, 2 * Math.PI), fx: random.uniform(-0.3, 0.3), fy: random.uniform(-0.3, 0.3),
  }))
  const shift = (part: typeof waves, [x, y]: Point): number => part.reduce((sum, w) => sum + w.size * Math.sin(w.phase + w.fx * x + w.fy * y), 0)
  return (point) => [point[0] + shift(waves.slice(0, 2), point), point[1] + shift(waves.slice(2), point)]
}

const STEPS = 5

/** Catmull-Rom spline through the points, as a fine polyline. */
function smooth(points: Stroke): Point[] {
  const at = (i: number): Point => points[Math.max(0, Math.min(points.length - 1, i))]!
  const curve: Point[] = [at(0)]
  for (let i = 0; i + 1 < points.length; i++) {
    for (let step = 1; step <= STEPS; step++) curve.push(between(at(i - 1), at(i), at(i + 1), at(i + 2), step / STEPS))
  }
  return curve
}

function between(a: Point, b: Point, c: Point, d: Point, t: number): Point {
  const one = (p: number, q: number, r: number, s: number): number =>
    0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t * t * t)
  return [one(a[0], b[0], c[0], d[0]), one(a[1], b[1], c[1], d[1])]
}

/** A round pen along the polyline: full ink within `radius` pixels of it, fading over one pixel. */
function drawCurve(points: readonly Point[], radius: number, ink: Float32Array): void {
  for (let i = 0; i + 1 < points.length; i++) drawSegment(points[i]!, points[i + 1]!, radius, ink)
}

function drawSegment(a: Point, b: Point, radius: number, ink: Float32Array): void {
  const reach = radius + 0.5
  const [left, right] = pixelRange(a[0], b[0], reach), [top, bottom] = pixelRange(a[1], b[1], reach)
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const cover = Math.max(0, Math.min(1, radius + 0.5 - distance(x + 0.5, y + 0.5, a, b)))
      ink[y * SIDE + x] = Math.max(ink[y * SIDE + x]!, cover)
    }
  }
}

const pixelRange = (p: number, q: number, reach: number): [number, number] =>
  [Math.max(0, Math.floor(Math.min(p, q) - reach)), Math.min(SIDE - 1, Math.floor(Math.max(p, q) + reach))]

/** Distance of the point (x, y) from a line segment. */
function distance(x: number, y: number, a: Point, b: Point): number {
  const dx = b[0] - a[0], dy = b[1] - a[1]
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / length))
  const ex = x - a[0] - t * dx, ey = y - a[1] - t * dy
  return Math.sqrt(ex * ex + ey * ey)
}
