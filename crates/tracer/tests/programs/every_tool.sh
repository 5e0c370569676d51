# Writes in as many ways as a shell and its usual tools do, in the folder that it is started in.
set -u
mkdir a a/b
mkdir -p a/b/c/d
echo one > a/one
echo two >> a/one
: > a/empty
cp a/one a/two
cp -a a/b a/copy
mv a/two a/b/two
ln a/one a/hard
ln -s one a/soft
ln -s b a/folder
rm a/folder
ln -s b/c a/folder
echo three > a/folder/three
echo four > a/soft
mkfifo a/fifo
chmod 600 a/soft
chmod -R go-rwx a/b
chown "$(id -u):$(id -g)" a/one
chown -h "$(id -u)" a/soft
touch a/one a/new
touch -h a/soft
touch -d 2001-01-01 a/new
truncate -s 100 a/new
dd if=/dev/zero of=a/zeros bs=1k count=2 2> /dev/null
tee a/tee < a/one > /dev/null
install -D -m 640 a/one x/y/z
(
    cd a/b || exit
    echo five > ../five
    rm -f ../five missing
)
test -w a/one
[ -w a/missing ]
echo six | sh -c 'cat > a/six'
rm a/one
rmdir a/b/c/d
rm -rf a x
echo seven 2> /dev/null > /no/such/folder
exit 0
