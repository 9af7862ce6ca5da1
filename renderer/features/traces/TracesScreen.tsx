export function TracesScreen() {
  return null;
}
