/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The frames between a program and its workers: what goes in comes out, and what is not as
 * it should be is refused, with a word about what was wrong. */

#include "config.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "concur-glib/concur-wire-private.h"
#include "test-util.h"
#include "test-wire-try.h"

#define MAX_BODY (64 * 1024 * 1024)
#define HEADER CONCUR_WIRE_HEADER_SIZE

/* As it would be sent. */
static GByteArray *
bytes_of_content (ConcurWireKind  kind,
                  guint64         id,
                  const char     *name,
                  GVariant       *content)
{
  ConcurWireWriter writer;
  GByteArray *bytes = g_byte_array_new ();

  g_assert_true (concur_wire_writer_init (&writer, kind, id, name, content, NULL, MAX_BODY, NULL));
  g_assert_cmpuint (writer.n_fds, ==, 0);
  g_byte_array_append (bytes, writer.data, (guint) (writer.size - writer.content_size));
  if (writer.content != NULL)
    {
      guint rest = bytes->len - (guint) writer.content_begin;

      g_byte_array_set_size (bytes, (guint) writer.size);
      memmove (bytes->data + bytes->len - rest, bytes->data + writer.content_begin, rest);
      memcpy (bytes->data + writer.content_begin, writer.content_data, writer.content_size);
    }
  concur_wire_writer_clear (&writer);

  return bytes;
}

/* The same of a whole body, which must come out as GVariant has it. */
static GByteArray *
bytes_of (ConcurWireKind  kind,
          guint64         id,
          GVariant       *body)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (body);
  g_autoptr (GVariant) content = NULL;
  const char *name = NULL;
  GByteArray *bytes;

  if (g_variant_is_of_type (sunk, G_VARIANT_TYPE ("(sv)")))
    g_variant_get (sunk, "(&sv)", &name, &content);
  else if (g_variant_is_of_type (sunk, G_VARIANT_TYPE_VARIANT))
    content = g_variant_get_variant (sunk);
  else
    content = g_variant_ref (sunk);

  bytes = bytes_of_content (kind, id, name, content);
  g_assert_cmpmem (bytes->data + HEADER, bytes->len - HEADER, g_variant_get_data (sunk),
                   g_variant_get_size (sunk));

  return bytes;
}

static GVariant *
call_body (const char *name)
{
  return g_variant_new ("(sv)", name, g_variant_new ("(xs)", G_GINT64_CONSTANT (-5), "text"));
}

static void
assert_refused (ConcurWireReader *reader,
                const char       *text)
{
  ConcurWireFrame frame = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (concur_wire_reader_take (reader, &frame, &error), ==, CONCUR_WIRE_READ_BAD);
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL);
  if (strstr (error->message, text) == NULL)
    g_error ("“%s” has no “%s” in it", error->message, text);
}

static void
refuse (const GByteArray *bytes,
        const int        *fds,
        guint             n_fds,
        const char       *text)
{
  ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);

  concur_wire_reader_feed (reader, bytes->data, bytes->len, fds, n_fds);
  assert_refused (reader, text);
  concur_wire_reader_free (reader);
}

static void
test_split (void)
{
  g_autoptr (GByteArray) bytes = bytes_of (CONCUR_WIRE_CALL, 7, call_body ("split"));
  g_autoptr (GByteArray) second = bytes_of (CONCUR_WIRE_PROGRESS, 8, g_variant_new_double (0.5));

  g_byte_array_append (bytes, second->data, second->len);
  for (guint at = 0; at <= bytes->len; at++)
    {
      ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);
      guint n_frames = 0;

      for (guint part = 0; part < 2; part++)
        {
          ConcurWireFrame frame = { 0 };
          guint begin = part == 0 ? 0 : at;
          guint end = part == 0 ? at : bytes->len;

          concur_wire_reader_feed (reader, bytes->data + begin, end - begin, NULL, 0);
          while (concur_wire_reader_take (reader, &frame, NULL) == CONCUR_WIRE_READ_DONE)
            {
              g_assert_cmpuint (frame.id, ==, 7 + n_frames);
              g_assert_cmpint (frame.kind, ==,
                               n_frames == 0 ? CONCUR_WIRE_CALL : CONCUR_WIRE_PROGRESS);
              n_frames++;
              concur_wire_clear (&frame);
            }
        }
      g_assert_cmpuint (n_frames, ==, 2);
      concur_wire_reader_free (reader);
    }
}

static GVariant *
content_of_size (gsize size)
{
  g_autofree char *data = g_malloc0 (size + 1);

  memset (data, 'x', size);

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

/* Through a socket, with descriptors; the large ones in a memfd. */
static void
test_socket (void)
{
  static const gsize sizes[] = {
    0, 1, 100, 4096, 16379, 16384, 65536, 1000000, CONCUR_WIRE_MEMFD_SIZE - 4,
    CONCUR_WIRE_MEMFD_SIZE,
  };
  guint before = test_count_fds ();
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);
      ConcurWireWriter writer;
      ConcurWireFrame frame = { 0 };
      g_autoptr (GVariant) content = g_variant_ref_sink (content_of_size (sizes[i]));
      g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
      g_autoptr (GError) error = NULL;
      ConcurWireRead read;

      g_unix_fd_list_append (fds, STDERR_FILENO, NULL);
      concur_wire_writer_init (&writer, CONCUR_WIRE_RESULT, i, NULL, content, fds, MAX_BODY, &error);
      g_assert_no_error (error);
      do
        {
          g_assert_true (concur_wire_writer_send (&writer, ends[0], &error));
          g_assert_true (concur_wire_reader_fill (reader, ends[1], FALSE, &error));
          read = concur_wire_reader_take (reader, &frame, &error);
          g_assert_no_error (error);
        }
      while (read == CONCUR_WIRE_READ_MORE);
      g_assert_true (concur_wire_writer_is_done (&writer));
      g_assert_cmpint (read, ==, CONCUR_WIRE_READ_DONE);
      /* GVariant itself compares what it does not trust by printing it. */
      g_assert_cmpmem (g_variant_get_data (frame.content), g_variant_get_size (frame.content),
                       g_variant_get_data (content), g_variant_get_size (content));
      g_assert_cmpint (g_unix_fd_list_get_length (frame.fds), ==, 1);
      concur_wire_clear (&frame);
      concur_wire_writer_clear (&writer);
      concur_wire_reader_free (reader);
    }
  close (ends[0]);
  close (ends[1]);
  g_assert_cmpuint (test_count_fds (), ==, before);
}

static void
test_end (void)
{
  g_autoptr (GByteArray) bytes = bytes_of (CONCUR_WIRE_CALL, 1, call_body ("end"));

  for (guint n = 0; n < bytes->len; n++)
    {
      ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);
      ConcurWireFrame frame = { 0 };
      g_autoptr (GError) error = NULL;
      int ends[2];

      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
      g_assert_cmpint (write (ends[0], bytes->data, n), ==, n);
      close (ends[0]);
      while (concur_wire_reader_fill (reader, ends[1], FALSE, &error))
        ;
      g_assert_no_error (error);
      if (n == 0)
        g_assert_cmpint (concur_wire_reader_take (reader, &frame, &error), ==,
                         CONCUR_WIRE_READ_END);
      else
        assert_refused (reader, "ends in the middle of a frame");
      close (ends[1]);
      concur_wire_reader_free (reader);
    }
}

static void
test_refused_headers (void)
{
  g_autoptr (GByteArray) bytes = bytes_of (CONCUR_WIRE_CALL, 1, call_body ("header"));
  guint8 *data = bytes->data;
  guint64 size;

  data[0] ^= 1;
  refuse (bytes, NULL, 0, "is no frame");
  data[0] ^= 1;

  data[4] = 99;
  refuse (bytes, NULL, 0, "no frame of kind 99");
  data[4] = CONCUR_WIRE_CALL;

  data[5] = 2;
  refuse (bytes, NULL, 0, "unknown flags 0x02");
  data[5] = 1;
  refuse (bytes, NULL, 0, "should be in a memfd, but none came");
  data[5] = 0;

  data[6] = 65;
  refuse (bytes, NULL, 0, "65 file descriptors; 64 are allowed");
  data[6] = 1;
  refuse (bytes, NULL, 0, "should have 1 file descriptors, 0 came");
  data[6] = 0;

  size = MAX_BODY + 1;
  memcpy (data + 16, &size, sizeof size);
  refuse (bytes, NULL, 0, "67108865 bytes long; 67108864 are allowed");
  size = G_MAXUINT64;
  memcpy (data + 16, &size, sizeof size);
  refuse (bytes, NULL, 0, "bytes long");
}

#define WIDE 70000

/* A body that is another type's, or not in normal form. */
static void
test_refused_bodies (void)
{
  g_autoptr (GByteArray) wrong = bytes_of (CONCUR_WIRE_CALL, 1, call_body ("body"));
  g_autoptr (GByteArray) text = bytes_of (CONCUR_WIRE_CALL, 1, call_body ("body"));
  g_autoptr (GByteArray) large = bytes_of_content (CONCUR_WIRE_CALL, 1, "large",
                                                   content_of_size (8192));
  g_autofree GVariant **children = g_new (GVariant *, WIDE);
  g_autoptr (GByteArray) wide = NULL;

  for (guint i = 0; i < WIDE; i++)
    children[i] = g_variant_new_byte (0);
  wide = bytes_of_content (CONCUR_WIRE_RESULT, 1, NULL, g_variant_new_tuple (children, WIDE));

  wrong->data[4] = CONCUR_WIRE_PROGRESS;
  refuse (wrong, NULL, 0, "the body of a PROGRESS frame is no d in normal form");

  /* A name without its end. */
  text->data[HEADER + 4] = 'x';
  refuse (text, NULL, 0, "the body of a CALL frame is no (sv) in normal form");

  /* It would take a lot of memory to describe what that is. */
  refuse (wide, NULL, 0, "in normal form");

  /* Many bytes are not looked at one by one; all around them is. */
  large->data[HEADER + 6] = 'x';
  refuse (large, NULL, 0, "in normal form");
  large->data[HEADER + 6] = 0;
  large->data[HEADER + 1] = 0xff;
  refuse (large, NULL, 0, "in normal form");
  large->data[HEADER + 1] = 'a';
  large->data[large->len - 1] ^= 1;
  refuse (large, NULL, 0, "in normal form");
}

/* What is taken to be normal at a glance is what GVariant takes for it. */
static void
test_bytes_at_a_glance (void)
{
  static const gsize sizes[] = { 1, 200, 230, 231, 232, 233, 234, 235, 236, 237, 238, 239, 240,
                                 241, 242, 243, 250, 300, 65500, 65510, 65511, 65512, 65513, 65514,
                                 65515, 65516, 65517, 65518, 65519, 65520, 65521, 65522, 70000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree guint8 *zeroes = g_malloc0 (sizes[i]);
      g_autoptr (GByteArray) bytes = bytes_of (CONCUR_WIRE_CALL, 1,
                                               g_variant_new ("(sv)", "name", g_variant_new_fixed_array (
                                                 G_VARIANT_TYPE_BYTE, zeroes, sizes[i], 1)));

      /* All places but those inside the array, where anything may stand. */
      for (guint at = HEADER; at < bytes->len; at += at == HEADER + 8 ? (guint) sizes[i] : 1)
        {
          ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);
          ConcurWireFrame frame = { 0 };
          guint8 before = bytes->data[at];
          g_autoptr (GBytes) body = NULL;
          g_autoptr (GVariant) variant = NULL;
          gboolean is_taken;

          bytes->data[at] ^= (guint8) g_test_rand_int_range (0, 256);
          body = g_bytes_new (bytes->data + HEADER, bytes->len - HEADER);
          variant = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("(sv)"), body,
                                                                  FALSE));
          concur_wire_reader_feed (reader, bytes->data, bytes->len, NULL, 0);
          is_taken = concur_wire_reader_take (reader, &frame, NULL) == CONCUR_WIRE_READ_DONE;
          g_assert_true (is_taken == g_variant_is_normal_form (variant));
          concur_wire_clear (&frame);
          concur_wire_reader_free (reader);
          bytes->data[at] = before;
        }
    }
}

static int
memfd_of (const GByteArray *body,
          int               seals)
{
  int fd = memfd_create ("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint (write (fd, body->data, body->len), ==, body->len);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, seals), ==, 0);

  return fd;
}

static void
test_refused_memfds (void)
{
  int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  guint before = test_count_fds ();
  g_autoptr (GByteArray) bytes = bytes_of (CONCUR_WIRE_PROGRESS, 1, g_variant_new_double (1));
  g_autoptr (GByteArray) body = g_byte_array_new ();
  ConcurWireReader *reader = concur_wire_reader_new (MAX_BODY);
  ConcurWireFrame frame = { 0 };
  guint64 size = 9;
  int fd;

  g_byte_array_append (body, bytes->data + HEADER, 8);
  g_byte_array_set_size (bytes, HEADER);
  bytes->data[5] = 1;
  bytes->data[6] = 1;

  fd = memfd_of (body, all);
  concur_wire_reader_feed (reader, bytes->data, bytes->len, &fd, 1);
  g_assert_cmpint (concur_wire_reader_take (reader, &frame, NULL), ==, CONCUR_WIRE_READ_DONE);
  g_assert_cmpfloat (g_variant_get_double (frame.content), ==, 1);
  concur_wire_clear (&frame);
  concur_wire_reader_free (reader);

  for (guint seal = 0; seal < 4; seal++)
    {
      static const int each[] = { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE, F_SEAL_SEAL };

      fd = memfd_of (body, all & ~each[seal]);
      refuse (bytes, &fd, 1, "not sealed");
    }
  fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  refuse (bytes, &fd, 1, "not sealed");

  memcpy (bytes->data + 16, &size, sizeof size);
  fd = memfd_of (body, all);
  refuse (bytes, &fd, 1, "should be 9 bytes long");
  g_assert_cmpuint (test_count_fds (), ==, before);
}

static void
test_too_large (void)
{
  ConcurWireWriter writer;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) fds_error = NULL;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  g_assert_false (concur_wire_writer_init (&writer, CONCUR_WIRE_RESULT, 1, NULL,
                                           content_of_size (2000), NULL, 1000, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  concur_wire_writer_clear (&writer);

  for (guint i = 0; i <= CONCUR_WIRE_MAX_FDS; i++)
    g_unix_fd_list_append (fds, STDERR_FILENO, NULL);
  g_assert_false (concur_wire_writer_init (&writer, CONCUR_WIRE_RESULT, 1, NULL, content_of_size (1),
                                           fds, MAX_BODY, &fds_error));
  g_assert_error (fds_error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
  concur_wire_writer_clear (&writer);
}

/* What cannot be put into a file goes through the socket. */
static void
test_no_file (void)
{
  g_autoptr (GVariant) content = g_variant_ref_sink (content_of_size (CONCUR_WIRE_MEMFD_SIZE));
  ConcurWireWriter writer;
  struct rlimit limit, none;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = limit;
  none.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  concur_wire_writer_init (&writer, CONCUR_WIRE_RESULT, 1, NULL, content, NULL, MAX_BODY, &error);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_no_error (error);
  g_assert_cmpint (writer.memfd, ==, -1);
  g_assert_cmpuint (writer.n_fds, ==, 0);
  g_assert_cmpuint (writer.size, >, CONCUR_WIRE_MEMFD_SIZE);
  concur_wire_writer_clear (&writer);

  concur_wire_writer_init (&writer, CONCUR_WIRE_RESULT, 1, NULL, content, NULL, MAX_BODY, &error);
  g_assert_no_error (error);
  g_assert_cmpint (writer.memfd, !=, -1);
  g_assert_cmpuint (writer.size, ==, HEADER);
  concur_wire_writer_clear (&writer);
}

/* A frame with the body in a memfd that is not there yet. */
static GByteArray *
memfd_header (guint n_fds)
{
  GByteArray *bytes = bytes_of (CONCUR_WIRE_PROGRESS, 1, g_variant_new_double (0.5));

  g_byte_array_set_size (bytes, HEADER);
  bytes->data[5] = 1;
  bytes->data[6] = (guint8) n_fds;

  return bytes;
}

static GPtrArray *
fuzz_seeds (void)
{
  GPtrArray *seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  g_autoptr (GByteArray) one = NULL;
  GByteArray *two;

  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_HELLO, 0, g_variant_new_parsed (
    "(uint32 1, uint64 1000, {'name': <'fuzz'>})")));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_READY, 0, g_variant_new_parsed (
    "(uint32 1, uint64 1000, @a{sv} {})")));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_CALL, 1, call_body ("fuzz")));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_MAP, 2, g_variant_new_parsed (
    "('fuzz', [<1>, <'two'>, <(3, <4>)>])")));
  g_ptr_array_add (seeds, bytes_of_content (CONCUR_WIRE_RESULT, 3, NULL, content_of_size (5000)));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_ERROR, 4, g_variant_new_parsed (
    "('domain', 5, 'message', {'stack': <'line'>})")));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_PROGRESS, 5, g_variant_new_double (0.5)));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_STATUS, 6, g_variant_new ("ms", "text")));
  g_ptr_array_add (seeds, bytes_of (CONCUR_WIRE_ITEM, 7, g_variant_new_parsed ("<[(1, 'item')]>")));
  for (guint n_fds = 1; n_fds <= WIRE_TRY_MAX_FDS; n_fds++)
    g_ptr_array_add (seeds, memfd_header (n_fds));

  one = bytes_of (CONCUR_WIRE_PROGRESS, 5, g_variant_new_double (0.25));
  two = bytes_of (CONCUR_WIRE_PROGRESS, 6, g_variant_new_double (0.75));
  g_byte_array_append (two, one->data, one->len);
  g_ptr_array_add (seeds, two);

  return seeds;
}

/* Valid frames with some bytes changed, and now and then nothing but noise. Each is understood,
 * or waited for, or refused; what is understood can be read to its last byte. */
static void
test_fuzz (void)
{
  guint n = test_scaled (100000);
  guint before = test_count_fds ();
  GRand *rand = g_rand_new_with_seed ((guint32) g_test_rand_int ());
  g_autoptr (GPtrArray) seeds = fuzz_seeds ();
  WireTries tries = { 0 };

  for (guint i = 0; i < n; i++)
    {
      GByteArray *seed = seeds->pdata[g_rand_int_range (rand, 0, (gint32) seeds->len)];
      g_autofree guint8 *data = g_memdup2 (seed->data, seed->len);
      gboolean is_noise = g_rand_int_range (rand, 0, 20) == 0;
      guint n_changes = is_noise ? seed->len : (guint) g_rand_int_range (rand, 0, 4);
      guint n_fds = 0;

      for (guint j = 0; j < n_changes; j++)
        {
          /* Mostly where it matters. */
          gint32 range = g_rand_boolean (rand) ? HEADER : (gint32) seed->len;

          data[is_noise ? (gint32) j : g_rand_int_range (rand, 0, range)]
              = (guint8) g_rand_int (rand);
        }
      if (data[5] != 0 || g_rand_int_range (rand, 0, 20) == 0)
        n_fds = (guint) g_rand_int_range (rand, 0, WIRE_TRY_MAX_FDS + 1);
      wire_try (&tries, rand, data, seed->len, n_fds);
    }
  g_test_message ("%u tries: %u frames understood, %u descriptors with them, %u refused", n,
                  tries.n_frames, tries.n_fds, tries.n_bad);
  g_assert_cmpuint (tries.n_frames, >, n / 10);
  g_assert_cmpuint (tries.n_fds, >, n / 1000);
  g_assert_cmpuint (tries.n_bad, >, n / 10);
  g_rand_free (rand);
  g_assert_cmpuint (test_count_fds (), ==, before);
}

/* Each kind comes out as it went in. */
static void
test_kinds (void)
{
  g_autoptr (GPtrArray) seeds = fuzz_seeds ();
  guint n_frames = 0;

  for (guint i = 0; i < seeds->len; i++)
    {
      GByteArray *seed = seeds->pdata[i];
      ConcurWireReader *reader;
      ConcurWireFrame frame = { 0 };

      if (seed->len == HEADER)
        continue;
      reader = concur_wire_reader_new (MAX_BODY);
      concur_wire_reader_feed (reader, seed->data, seed->len, NULL, 0);
      for (guint at = 0; at < seed->len;)
        {
          g_autoptr (GByteArray) again = NULL;

          g_assert_cmpint (concur_wire_reader_take (reader, &frame, NULL), ==,
                           CONCUR_WIRE_READ_DONE);
          again = bytes_of_content (frame.kind, frame.id, frame.name, frame.content);
          g_assert_cmpuint (again->len, <=, seed->len - at);
          g_assert_cmpmem (again->data, again->len, seed->data + at, again->len);
          at += again->len;
          n_frames++;
          concur_wire_clear (&frame);
        }
      g_assert_true (concur_wire_reader_is_empty (reader));
      concur_wire_reader_free (reader);
    }
  g_assert_cmpuint (n_frames, ==, 9 + 2);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/wire/kinds", test_kinds);
  g_test_add_func ("/wire/split", test_split);
  g_test_add_func ("/wire/socket", test_socket);
  g_test_add_func ("/wire/end", test_end);
  g_test_add_func ("/wire/refused-headers", test_refused_headers);
  g_test_add_func ("/wire/refused-bodies", test_refused_bodies);
  g_test_add_func ("/wire/bytes-at-a-glance", test_bytes_at_a_glance);
  g_test_add_func ("/wire/refused-memfds", test_refused_memfds);
  g_test_add_func ("/wire/too-large", test_too_large);
  g_test_add_func ("/wire/no-file", test_no_file);
  g_test_add_func ("/wire/fuzz", test_fuzz);

  return test_run ();
}
