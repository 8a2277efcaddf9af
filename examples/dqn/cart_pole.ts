/** Where the cart is (m), how fast it goes, the pole's angle (rad, 0 upright), how fast it turns. */
export type CartPole = readonly [place: number, speed: number, angle: number, turn: number];

/** Steps after which an episode ends, though the pole stands. */
export const LONGEST = 200;

const [GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS] = [9.8, 1, 0.1, 0.5, 10, 0.02];

/** Nearly at rest, nearly upright. */
export function begin(draw: () => number): CartPole {
  const small = (): number => (draw() - 0.5) / 10;
  return [small(), small(), small(), small()];
}

/** One step of Euler's method after a push to the left (0) or right (1): Barto, Sutton and Anderson 1983, with the numbers of Gym's CartPole-v0. */
export function push([place, speed, angle, turn]: CartPole, action: number): CartPole {
  const force = action === 1 ? FORCE : -FORCE;
  const [sine, cosine, mass] = [Math.sin(angle), Math.cos(angle), CART + POLE];
  const pushed = (force + POLE * HALF_LENGTH * turn ** 2 * sine) / mass;
  const turning = (GRAVITY * sine - cosine * pushed) / (HALF_LENGTH * (4 / 3 - (POLE * cosine ** 2) / mass));
  const speeding = pushed - (POLE * HALF_LENGTH * turning * cosine) / mass;
  return [place + SECONDS * speed, speed + SECONDS * speeding, angle + SECONDS * turn, turn + SECONDS * turning];
}

/** Whether the pole leans more than 12 degrees, or the cart has left its track. */
export function fallen([place, , angle]: CartPole): boolean {
  return Math.abs(place) > 2.4 || Math.abs(angle) > (12 * Math.PI) / 180;
}
