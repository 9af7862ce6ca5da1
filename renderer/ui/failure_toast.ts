/** A failure told in passing, where there is no place beside what was pressed. */
import { notifications } from '@mantine/notifications';
import { asFailure } from '../api/problem.ts';

export function showFailure(error: unknown): void {
  const failure = asFailure(error);
  notifications.show({ color: 'red', title: failure.title, message: failure.next });
}
