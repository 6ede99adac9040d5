/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* results-as-finished [--limit SECONDS] FILE...
 *
 * Prints the SHA-256 digests of files, each as soon as it is known: small files do not
 * wait for the large ones before them. With a limit, what is not known by then is
 * cancelled.
 *
 *     $ results-as-finished large small
 *     1/2 4355a46b…  small
 *     2/2 0c1e3f8d…  large
 *
 * Exit status: 0; 1 if a file could not be read or was cancelled; 2 if called in a wrong
 * way. */

#include <concur.h>

#include <locale.h>

typedef struct
{
  GPtrArray *pending; /* of ConcurFuture: one for each file */
  guint n_files, n_done;
  gint64 end;         /* by the monotonic clock, in microseconds; -1 for never */
  int exit_status;
} Digests;

/* A time limit counts from now: what is left of the whole one. */
static gint64
get_time_left (Digests *digests)
{
  if (digests->end < 0)
    return -1;

  return MAX (digests->end - g_get_monotonic_time (), 0);
}

static void
print_digest (Digests      *digests,
              ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = concur_future_dup_name (future);
  g_autofree char *digest = concur_future_dup_string (future, &error);

  digests->n_done++;
  if (digest != NULL)
    {
      g_print ("%u/%u %s  %s\n", digests->n_done, digests->n_files, digest, path);
    }
  else
    {
      g_print ("%u/%u %s: %s\n", digests->n_done, digests->n_files, path, error->message);
      digests->exit_status = 1;
    }
}

/* Waits until something is done, or time is over. Returns how many were done. */
static guint
print_next (Digests *digests,
            gint64   timeout_us)
{
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (GListModel) done = NULL;
  g_autoptr (GError) error = NULL;
  guint n;

  first = concur_future_wait_many ((ConcurFuture **) digests->pending->pdata,
                                   digests->pending->len,
                                   CONCUR_WAIT_FIRST_COMPLETED, timeout_us);
  concur_future_wait (first, -1);

  /* Its value is the list of those that are done, be it one, or several, or none. */
  done = (GListModel *) concur_future_dup_object (first, &error);
  if (done == NULL)
    {
      g_printerr ("results-as-finished: No time limit: %s\n", error->message);
      return 0;
    }

  n = g_list_model_get_n_items (done);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = g_list_model_get_item (done, i);

      print_digest (digests, future);
      g_ptr_array_remove_fast (digests->pending, future);
    }

  return n;
}

int
main (int    argc,
      char **argv)
{
  double limit = -1;
  g_auto (GStrv) paths = NULL;
  const GOptionEntry options[] = {
    { "limit", 'l', 0, G_OPTION_ARG_DOUBLE, &limit, "Cancel what takes longer", "SECONDS" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "FILE..." },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GPtrArray) pending = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  Digests digests = { pending, 0, 0, -1, 0 };

  setlocale (LC_ALL, "");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || paths == NULL)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Which files?");
      return 2;
    }

  digests.n_files = g_strv_length (paths);
  if (limit >= 0)
    digests.end = g_get_monotonic_time () + (gint64) (limit * G_USEC_PER_SEC);

  /* They begin at once, as many beside each other as the default executor has threads. */
  for (guint i = 0; i < digests.n_files; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_path (paths[i]);
      ConcurFuture *future = concur_file_digest (file, G_CHECKSUM_SHA256, NULL, cancellable);

      concur_future_set_name (future, paths[i]);
      g_ptr_array_add (pending, future);
    }

  while (pending->len > 0 && print_next (&digests, get_time_left (&digests)) > 0)
    ;

  /* One cancellable for all. What is cancelled is done soon, so there is an end to this. */
  g_cancellable_cancel (cancellable);
  while (pending->len > 0)
    print_next (&digests, -1);

  return digests.exit_status;
}
