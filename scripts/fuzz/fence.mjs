export function fence() {
  return {};
}
