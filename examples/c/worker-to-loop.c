/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* worker-to-loop FILE...
 *
 * Says which of the files have the same content. Workers read and digest the files, all
 * at once. Whether a content was seen before is known by a table that belongs to a loop
 * thread: a worker calls into the loop to look it up and to add its own, and goes on
 * with the answer. Nobody else touches the table, so it needs no lock, and it could as
 * well be a D-Bus connection or anything else that must stay on one thread.
 *
 *     $ worker-to-loop a b c
 *     a: new
 *     b: new
 *     c: same as a
 *
 * Exit status: 0; 1 if a file could not be read; 2 if called in a wrong way. */

#include <concur.h>

#include <locale.h>

typedef struct
{
  ConcurLoopThread *loop;
  GHashTable *first_by_digest; /* the loop's thread only: digest → path */
} Index;

/* What a worker is given. */
typedef struct
{
  Index *index;
  const char *path;
} Work;

/* What a worker asks the loop. */
typedef struct
{
  Index *index;
  const char *path;
  const char *digest;
} Question;

/* On the loop's thread: one call after another, whichever workers they come from. Answers
 * with the path of the file that was first, or NULL if this one is. */
static gboolean
look_up (ConcurJob *job,
         gpointer   user_data,
         GError   **error)
{
  Question *question = user_data;
  GHashTable *table = question->index->first_by_digest;
  const char *first = g_hash_table_lookup (table, question->digest);

  concur_job_return_string (job, first);
  if (first == NULL)
    g_hash_table_insert (table, g_strdup (question->digest), g_strdup (question->path));

  return TRUE;
}

/* On a worker: blocks as it likes. */
static gboolean
examine (ConcurJob *job,
         gpointer   user_data,
         GError   **error)
{
  Work *work = user_data;
  g_autoptr (ConcurFuture) answer = NULL;
  g_autofree char *digest = NULL;
  g_autofree char *contents = NULL;
  Question question;
  gsize length;

  if (!g_file_get_contents (work->path, &contents, &length, error))
    return FALSE;
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) contents, length);

  /* It runs there and waits here, so the question can be on the stack. */
  question = (Question) { work->index, work->path, digest };
  answer = concur_loop_thread_call (work->index->loop, look_up, &question, NULL, -1, error);
  if (answer == NULL)
    return FALSE;

  /* What the loop says is what we say. */
  concur_job_return_future (job, answer);

  return TRUE;
}

/* On the main thread, which has nothing else to do and waits, in the order asked for. */
static int
print_answers (char     **paths,
               GPtrArray *futures)
{
  int exit_status = 0;

  for (guint i = 0; i < futures->len; i++)
    {
      ConcurFuture *future = futures->pdata[i];
      g_autoptr (GError) error = NULL;
      const GValue *first = concur_future_result (future, -1, &error);

      if (first == NULL)
        {
          g_printerr ("worker-to-loop: %s\n", error->message);
          exit_status = 1;
        }
      else if (g_value_get_string (first) == NULL)
        {
          g_print ("%s: new\n", paths[i]);
        }
      else
        {
          g_print ("%s: same as %s\n", paths[i], g_value_get_string (first));
        }
    }

  return exit_status;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("index");
  g_autoptr (GHashTable) table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  Index index = { loop, table };
  int exit_status;

  setlocale (LC_ALL, "");

  if (argc < 2)
    {
      g_printerr ("Usage: worker-to-loop FILE...\n");
      return 2;
    }

  if (!concur_loop_thread_start (loop, &error))
    {
      g_printerr ("worker-to-loop: %s\n", error->message);
      return 1;
    }

  for (int i = 1; i < argc; i++)
    {
      Work *work = g_new (Work, 1);

      *work = (Work) { &index, argv[i] };
      g_ptr_array_add (futures,
                       concur_executor_submit (concur_loop_thread_get_executor (loop),
                                               examine, work, g_free, NULL));
    }

  exit_status = print_answers (argv + 1, futures);

  /* Shuts the workers down as well. The table is ours again afterwards, to free. */
  concur_loop_thread_stop (loop, -1, NULL);

  return exit_status;
}
