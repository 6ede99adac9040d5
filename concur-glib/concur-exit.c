/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-home.h"

ConcurWord concur_stopped;
_Thread_local gboolean concur_thread_is_own;

/* Of a thread that has called concur_quiesce (). */
static _Thread_local gboolean thread_is_ending;

#ifdef CONCUR_TESTING
_Atomic gint concur_threads_still;
#define COUNT() atomic_fetch_add (&concur_threads_still, 1)
#else
#define COUNT() G_STMT_START { } G_STMT_END
#endif

void
concur_gate_closed (void)
{
  static ConcurWord for_ever;

  /* In a forked process the one thread there is goes on, whoever it was. */
  if (!concur_thread_is_own || concur_is_forked ())
    return;

  COUNT ();
  for (;;)
    concur_park (&for_ever, 0, -1);
}

gboolean
concur_is_left_out (void)
{
  return !thread_is_ending && !concur_thread_is_own && !concur_is_forked ();
}

void
concur_set_stopped_error (GError **error)
{
  g_set_error_literal (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                       concur_is_forked ()
                         ? "This process was forked from the one that has the threads; "
                           "run another program in it, or start it without fork"
                         : "The process is about to end, and the threads stand still: "
                           "do this before concur_quiesce ()");
}

/**
 * concur_quiesce:
 *
 * Makes the library's threads stand still for good, because the process is about to end.
 *
 * This is for language bindings, to be called when their language goes and the process
 * does not yet: a thread that enters the language then would crash. In C there is no need
 * for it; a process that exits waits for nothing.
 *
 * From now on no thread of the library, be it of an executor, of a loop thread or one that
 * serves timers, calls code that is not the library's: no job begins, no callback,
 * [vfunc@Job.done], [vfunc@Job.release] or destroy notify is called,
 * [vfunc@ThreadExecutor.thread_main] and [vfunc@LoopThread.run_loop] are not entered. A
 * thread that comes to such a point stops there for ever and holds no lock. Code that
 * runs, or is just being called, at this moment is neither stopped nor waited for: its
 * thread stops when it has come back from there and comes to the next such point. In the context of a loop thread, sources of
 * your own are dispatched to the end of the turn that is going on.
 *
 * The calling thread goes on, with its main loop. So does every other one that is not the
 * library's, but what the library brings home there, callbacks and what is to be let go,
 * stays where it is: nobody calls or frees it any more. Calls that need a thread of the
 * library fail: submitting with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING, and so does waiting for
 * what is not done. A wait that has begun on another thread goes on, perhaps for ever.
 *
 * There is no way back. Calling it again has no effect.
 *
 * Can be called from any thread.
 *
 * Since: 1.0
 */
void
concur_quiesce (void)
{
  /* Whoever it is, this one goes on. */
  concur_thread_is_own = FALSE;
  thread_is_ending = TRUE;
  concur_atomic_or (&concur_stopped, CONCUR_STOPPED_QUIET, CONCUR_SEQ_CST);
}
